//! A site without a browser: joins, sends a test pattern and a tone, says what it receives.
