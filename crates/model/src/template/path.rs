//! Parts of a path, over bytes and by text alone, exactly as GNU parallel cuts them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Which part of a value a placeholder stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum PathPart {
    /// All of it.
    #[default]
    Whole,
    /// Without its extension: `{.}`.
    Stem,
    /// The base name: `{/}`.
    Base,
    /// The directory: `{//}`.
    Directory,
    /// The base name without its extension: `{/.}`.
    BaseStem,
}

impl PathPart {
    /// The suffixes that ask for a part, longest first.
    pub(super) const SUFFIXES: [(&'static str, Self); 4] =
        [("//", Self::Directory), ("/.", Self::BaseStem), ("/", Self::Base), (".", Self::Stem)];

    pub(super) fn of(self, value: &[u8]) -> &[u8] {
        match self {
            Self::Whole => value,
            Self::Stem => stem(value),
            Self::Base => base(value),
            Self::Directory => directory(value),
            Self::BaseStem => stem(base(value)),
        }
    }

    pub(super) fn cut(self, value: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
        match value {
            Cow::Borrowed(value) => Cow::Borrowed(self.of(value)),
            Cow::Owned(value) if self == Self::Whole => Cow::Owned(value),
            Cow::Owned(value) => Cow::Owned(self.of(&value).to_vec()),
        }
    }
}

fn last(path: &[u8], wanted: u8) -> Option<usize> {
    path.iter().rposition(|&byte| byte == wanted)
}

fn base(path: &[u8]) -> &[u8] {
    last(path, b'/').map_or(path, |slash| &path[slash + 1..])
}

fn stem(path: &[u8]) -> &[u8] {
    match (last(path, b'.'), last(path, b'/')) {
        (Some(dot), Some(slash)) if dot < slash => path,
        (Some(dot), _) => &path[..dot],
        (None, _) => path,
    }
}

fn directory(path: &[u8]) -> &[u8] {
    let trimmed = without_slashes(path);
    if trimmed.is_empty() && !path.is_empty() {
        return b"/";
    }
    match last(trimmed, b'/') {
        None => b".",
        Some(slash) => match without_slashes(&trimmed[..slash]) {
            b"" => b"/",
            directory => directory,
        },
    }
}

fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    &path[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(part: PathPart, path: &str) -> String {
        String::from_utf8_lossy(part.of(path.as_bytes())).into_owned()
    }

    #[test]
    fn paths_are_cut_as_the_manual_of_gnu_parallel_says() {
        let stems = [
            ("foo.jpg", "foo"),
            ("subdir/foo.jpg", "subdir/foo"),
            ("sub.dir/foo.jpg", "sub.dir/foo"),
            ("sub.dir/bar", "sub.dir/bar"),
            ("bar", "bar"),
            ("a.tar.gz", "a.tar"),
        ];
        for (path, want) in stems {
            assert_eq!(cut(PathPart::Stem, path), want, "{path}");
        }
        assert_eq!(cut(PathPart::Base, "a/b/c.txt"), "c.txt");
        assert_eq!(cut(PathPart::Base, "c.txt"), "c.txt");
        assert_eq!(cut(PathPart::BaseStem, "a.d/b/c.txt"), "c");
    }

    #[test]
    fn directories_are_those_of_dirname() {
        let directories =
            [("a/b/c", "a/b"), ("c", "."), ("/c", "/"), ("a/b/", "a"), ("//", "/"), ("", ".")];
        for (path, want) in directories {
            assert_eq!(cut(PathPart::Directory, path), want, "{path}");
        }
    }
}
