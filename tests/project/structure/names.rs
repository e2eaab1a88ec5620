//! The types that a file defines.
//!
//! Associated types and type parameters look the same, and this file distinguishes them.

use super::tokens::is_word;

/// What may follow the name in a definition. Macros use the keywords as mere words: `struct enum identifier`.
const ENDS_OF_A_NAME: [&str; 7] = ["{", "(", ";", "<", "=", ":", "where"];

/// The names of the structs, enums, unions, traits and type aliases, associated types left out.
pub(crate) fn types(tokens: &[String]) -> Vec<&str> {
    let mut found = Vec::new();
    // For each open brace, whether it is that of a trait or of an implementation.
    let mut braces = Vec::new();
    let mut of_a_trait = false;
    for three in tokens.windows(3) {
        let (token, next) = (three[0].as_str(), three[1].as_str());
        let is_defined = is_word(next) && ENDS_OF_A_NAME.contains(&three[2].as_str());
        match token {
            "{" => braces.push(std::mem::take(&mut of_a_trait)),
            "}" => drop(braces.pop()),
            ";" => of_a_trait = false,
            "impl" => of_a_trait = true,
            "struct" | "enum" | "union" | "trait" if is_defined => {
                of_a_trait = token == "trait";
                found.push(next);
            }
            "type" if is_defined && braces.last() != Some(&true) => found.push(next),
            _ => {}
        }
    }
    found
}
