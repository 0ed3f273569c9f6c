//! From the keys of a handshake to those of one kind of packets (RFC 3711, 4.3).

use rtc::crypto::{BlockCipherAlgorithm, CryptoError, RTCCrypto};

pub const KEY_BYTES: usize = 16;

/// What the derived keys are for (RFC 3711, 4.3.2).
#[derive(Clone, Copy)]
pub struct Labels {
    pub key: u8,
    pub authentication: u8,
    pub salt: u8,
}

pub const RTP: Labels = Labels {
    key: 0,
    authentication: 1,
    salt: 2,
};
pub const RTCP: Labels = Labels {
    key: 3,
    authentication: 4,
    salt: 5,
};

/// What a handshake gives one side; a salt of 12 bytes counts as one of 14 that ends in zeros (RFC 7714, 11).
#[derive(Clone, Copy)]
pub struct Master<'a> {
    pub key: &'a [u8],
    pub salt: &'a [u8],
}

impl Master<'_> {
    /// So many bytes for a label, of less than 256 blocks. Keys are derived once, for nobody negotiates a rate.
    pub fn derive<const BYTES: usize>(
        self,
        label: u8,
        crypto: &dyn RTCCrypto,
    ) -> Result<[u8; BYTES], CryptoError> {
        let mut derived = [0; BYTES];
        for (counter, part) in (0_u8..).zip(derived.chunks_mut(KEY_BYTES)) {
            let mut block = [0; KEY_BYTES];
            for (byte, salt) in block.iter_mut().zip(self.salt) {
                *byte = *salt;
            }
            block[7] ^= label;
            block[KEY_BYTES - 1] = counter;
            crypto.block_encrypt(BlockCipherAlgorithm::Aes128, self.key, &mut block)?;
            part.copy_from_slice(&block[..part.len()]);
        }
        Ok(derived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::wire::tests::provider;

    /// RFC 3711, B.3.
    #[test]
    fn keys_are_derived_as_the_standard_says() {
        let master = Master {
            key: &0xe1f9_7a0d_3e01_8be0_d64f_a32c_06de_4139_u128.to_be_bytes(),
            salt: &0x0ec6_75ad_498a_feeb_b696_0b3a_abe6_u128.to_be_bytes()[2..],
        };
        let provider = provider();
        let key = master.derive(RTP.key, provider.crypto()).unwrap();
        assert_eq!(
            u128::from_be_bytes(key),
            0xc61e_7a93_744f_39ee_1073_4afe_3ff7_a087
        );
        let salt: [u8; 14] = master.derive(RTP.salt, provider.crypto()).unwrap();
        let expected = 0x30cb_bc08_863d_8c85_d49d_b34a_9ae1_u128.to_be_bytes();
        assert_eq!(salt, expected[2..]);
        // The first twenty of ninety-four bytes.
        let authentication: [u8; 20] = master
            .derive(RTP.authentication, provider.crypto())
            .unwrap();
        let (first, second) = authentication.split_at(16);
        assert_eq!(
            first,
            0xcebe_321f_6ff7_716b_6fd4_ab49_af25_6a15_u128.to_be_bytes()
        );
        assert_eq!(second, [0x6d, 0x38, 0xba, 0xa4]);
    }
}
