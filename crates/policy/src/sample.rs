//! Different places of a list, drawn by lot: which candidates a rule looks at that does not look
//! at all of them.

use crate::dice::Dice;

/// So many places are looked through faster than they are marked.
const FEW: usize = 16;

/// Up to `most` different places in a list of `len`, all equally likely (Floyd's algorithm, in
/// Bentley, "Programming Pearls", 1987); all of them, in order, where there are no more.
#[must_use]
pub fn drawn(len: usize, most: usize, dice: &mut Dice) -> Vec<usize> {
    if len <= most {
        return (0..len).collect();
    }
    let mut drawn = Vec::with_capacity(most);
    let mut seen = vec![0_u64; if most > FEW { len.div_ceil(64) } else { 0 }];
    for last in len - most..len {
        let place = dice.below(last as u64 + 1) as usize;
        // Few are looked through, and many are marked.
        let known = match seen.get(place / 64) {
            Some(marks) => marks >> (place % 64) & 1 == 1,
            None => drawn.contains(&place),
        };
        let place = if known { last } else { place };
        if let Some(marks) = seen.get_mut(place / 64) {
            *marks |= 1 << (place % 64);
        }
        drawn.push(place);
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_many_places_is_drawn_about_as_often() {
        let mut dice = Dice::new(1, "sample");
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            let mut places = drawn(10, 4, &mut dice);
            places.iter().for_each(|place| seen[*place] += 1);
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), 4, "no place is drawn twice");
        }
        assert!(seen.iter().all(|n| (3_800..4_200).contains(n)), "{seen:?}");
    }

    #[test]
    fn many_places_are_drawn_as_evenly_as_few() {
        let mut dice = Dice::new(1, "sample");
        let mut seen = [0_u32; 100];
        for _ in 0..10_000 {
            let mut places = drawn(100, 40, &mut dice);
            places.iter().for_each(|place| seen[*place] += 1);
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), 40, "no place is drawn twice");
        }
        assert!(seen.iter().all(|n| (3_700..4_300).contains(n)), "{seen:?}");
    }

    #[test]
    fn a_short_list_is_drawn_whole() {
        assert_eq!(drawn(3, 4, &mut Dice::new(1, "sample")), [0, 1, 2]);
        assert!(drawn(0, 4, &mut Dice::new(1, "sample")).is_empty());
    }
}
