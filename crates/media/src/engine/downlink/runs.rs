//! Which packets leave together: pure.
//!
//! The kernel cuts one buffer into datagrams of equal length, only the last may be shorter, and that one call costs
//! little more than sending one of them. An encoder cuts a picture into parts that differ by a byte or two, so parts of
//! nearly equal length are padded to the longest (RFC 3550, 5.1); a shorter packet, such as sound, goes last.

/// Bytes by which a packet may be lengthened to leave with its neighbours.
const PAD_MAX: usize = 16;
/// The kernel takes no more in one call.
const RUN_MAX_BYTES: usize = 60_000;

/// The first packets of a queue that leave in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub packets: usize,
    /// The length all but the last are brought to. The last is so only if it is not shorter by more than the padding.
    pub segment: usize,
}

impl Plan {
    /// The length a packet of the run leaves with.
    pub fn length(self, place: usize, length: usize) -> usize {
        let is_tail = place + 1 == self.packets;
        // A tail keeps its own length: padding would be wasted on it.
        if is_tail { length } else { self.segment }
    }
}

/// Plans one call for the packets of these lengths; `None` for none.
pub fn plan(mut lengths: impl Iterator<Item = usize>, segments_max: usize) -> Option<Plan> {
    let first = lengths.next()?;
    let (mut shortest, mut longest) = (first, first);
    let mut packets = 1;
    for length in lengths {
        if packets >= segments_max {
            break;
        }
        let (short, long) = (shortest.min(length), longest.max(length));
        if (packets + 1) * long > RUN_MAX_BYTES {
            break;
        }
        if long - short > PAD_MAX {
            // A shorter one may still be the last.
            packets += usize::from(length < shortest);
            break;
        }
        (shortest, longest) = (short, long);
        packets += 1;
    }
    Some(Plan {
        packets,
        segment: longest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The runs of a queue, as the lengths that leave.
    fn runs(lengths: &[usize], segments_max: usize) -> Vec<Vec<usize>> {
        let mut rest = lengths;
        let mut runs = vec![];
        while let Some(plan) = plan(rest.iter().copied(), segments_max) {
            let (run, later) = rest.split_at(plan.packets);
            let lengths = run.iter().enumerate();
            runs.push(
                lengths
                    .map(|(place, length)| plan.length(place, *length))
                    .collect(),
            );
            rest = later;
        }
        runs
    }

    #[test]
    fn the_parts_of_a_picture_leave_together_and_sound_behind_them() {
        assert_eq!(
            runs(&[1149, 1149, 1150, 1150, 130], 64),
            [[1150, 1150, 1150, 1150, 130]]
        );
        assert_eq!(runs(&[100, 1150, 1150], 64), [vec![100], vec![1150, 1150]]);
        assert_eq!(runs(&[1150, 700, 700], 64), [vec![1150, 700], vec![700]]);
        assert_eq!(
            runs(&[500; 5], 2),
            [vec![500, 500], vec![500, 500], vec![500]]
        );
        assert_eq!(runs(&[500, 505], 1), [[500], [505]]);
    }

    proptest::proptest! {
        #[test]
        fn every_packet_leaves_once_in_a_form_the_kernel_takes(
            lengths in proptest::collection::vec(30_usize..1_500, 0..200), segments_max in 1_usize..65
        ) {
            let mut place = 0;
            for run in runs(&lengths, segments_max) {
                let (last, others) = run.split_last().unwrap();
                proptest::prop_assert!(others.iter().all(|length| *length == run[0]) && *last <= run[0]);
                proptest::prop_assert!(run.len() <= segments_max && run.iter().sum::<usize>() <= RUN_MAX_BYTES);
                for length in run {
                    proptest::prop_assert!((lengths[place]..=lengths[place] + PAD_MAX).contains(&length));
                    place += 1;
                }
            }
            proptest::prop_assert_eq!(place, lengths.len());
        }
    }
}
