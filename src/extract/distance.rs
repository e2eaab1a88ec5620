//! How unlike two texts are: what was most likely meant by a path or a word that nothing knows.

/// Levenshtein's distance, where a thing more or less weighs `gap` and one in place of another as
/// much as `change` tells.
pub(super) fn distance<T>(a: &[T], b: &[T], gap: usize, change: impl Fn(&T, &T) -> usize) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).map(|n| n * gap).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], (i + 1) * gap);
        for (j, y) in b.iter().enumerate() {
            let least = (diagonal + change(x, y))
                .min(row[j] + gap)
                .min(row[j + 1] + gap);
            diagonal = std::mem::replace(&mut row[j + 1], least);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_of_two_words_is_levenshteins() {
        let words = |a: &str, b: &str| {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            distance(&a, &b, 1, |a, b| usize::from(a != b))
        };
        for (a, b, expected) in [
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("abc", "", 3),
            ("flaw", "lawn", 2),
            ("same", "same", 0),
        ] {
            assert_eq!(words(a, b), expected, "{a} {b}");
        }
    }
}
