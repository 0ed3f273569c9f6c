//! The rules of a conference: commands go in, events or a refusal come out.
