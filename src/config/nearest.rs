//! The nearest of several words to one that was mistyped. This file is a leaf of the imports, because both
//! halves have names to propose.

/// Adds the proposal to `text` if one is near enough.
pub(crate) fn with_nearest(text: String, nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("{text} (did you mean `{nearest}`?)"),
        None => text,
    }
}

/// The candidate nearest to `word`; `None` if none is near. Of several equally near candidates, the first.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let letters: Vec<char> = word.chars().collect();
    // A third of the letters may differ: anything further away is another word.
    let most = letters.len().div_ceil(3);
    let mut found: Option<(usize, &str)> = None;
    for candidate in candidates {
        let others: Vec<char> = candidate.chars().collect();
        // Words of such different lengths are not near, and need no table.
        if letters.len().abs_diff(others.len()) > most {
            continue;
        }
        let change = |a: &char, b: &char| usize::from(!a.eq_ignore_ascii_case(b));
        let distance = distance(&letters, &others, 1, change);
        if distance <= most && found.is_none_or(|(least, _)| distance < least) {
            found = Some((distance, candidate));
        }
    }
    found.map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, in which an insertion or deletion costs `gap`, and a substitution what `change`
/// returns.
pub(crate) fn distance<T>(a: &[T], b: &[T], gap: usize, change: impl Fn(&T, &T) -> usize) -> usize {
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
    fn the_distance_of_two_words_is_their_levenshtein_distance() {
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

    #[test]
    fn a_word_is_near_when_at_most_a_third_of_it_differs() {
        let topics = ["payments", "orders", "Order.items"];
        for (word, expected) in [
            ("ordes", Some("orders")),
            ("ORDERS", Some("orders")),
            ("paymnts", Some("payments")),
            ("order.item", Some("Order.items")),
            ("invoices", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, topics), expected, "{word}");
        }
    }
}
