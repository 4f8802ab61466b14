//! Policies as people name them: what to do where a name is none.

use bary_jobfile::suggest;
use bary_policy::preset::{PRESETS, PolicyError};

/// What to do about a text that names no policy: the preset that is meant perhaps, and where all
/// are listed.
#[must_use]
pub fn hint(error: &PolicyError) -> String {
    let near = match error {
        PolicyError::Preset { given, .. } => {
            suggest::nearest(given, PRESETS.iter().map(|(name, _)| *name))
        }
        _ => None,
    };
    let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    format!("{near}bary policy ls lists them")
}

#[cfg(test)]
mod tests {
    use bary_policy::preset;

    use super::*;

    #[test]
    fn a_name_that_is_nearly_right_is_told_what_it_may_mean() {
        let told = |text: &str| hint(&preset::parse(text).expect_err("it names none"));
        assert!(told("graviti").starts_with("did you mean `gravity`?"));
        assert_eq!(told("xxxxxxxxxxxx"), "bary policy ls lists them");
    }
}
