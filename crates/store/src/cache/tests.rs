//! What a cache keeps, for how long, and what it does with what is not as it was written.

use tempfile::TempDir;

use super::*;

const HOUR: Span = Span::secs(3_600);
const NOW: Wall = Wall(1_763_745_574_123_456_789);

fn later(span: Span) -> Wall {
    Wall(NOW.0 + span.0)
}

fn key(n: u8) -> Key {
    Key([n; 32])
}

fn kept(text: &str) -> Kept {
    Kept { output: text.to_owned().into(), stderr: "said".into() }
}

fn dir() -> TempDir {
    tempfile::tempdir().expect("a directory can be made")
}

fn files(dir: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.path()).expect("it can be read");
    entries.map(|entry| entry.expect("it can be read").path()).collect()
}

/// One cache of each sort.
fn both(config: &CacheConfig, dir: &TempDir) -> [Cache; 2] {
    [Cache::of_dir(config.clone(), dir.path()), Cache::in_memory(config.clone())]
}

#[test]
fn what_was_kept_is_found_until_it_is_too_old() {
    let dir = dir();
    for cache in both(&CacheConfig::default(), &dir) {
        assert_eq!(cache.get(&key(1), HOUR, NOW), None);
        cache.put(&key(1), &kept("a"), NOW);
        assert_eq!(cache.get(&key(1), HOUR, later(HOUR)), Some(kept("a")));
        assert_eq!(cache.get(&key(2), HOUR, NOW), None);
        let over = later(HOUR + Span(1));
        assert_eq!(cache.get(&key(1), HOUR, over), None, "it is older than was asked for");
        assert_eq!(cache.get(&key(1), HOUR.times(2), over), Some(kept("a")), "to others it is not");
        cache.put(&key(1), &kept("b"), over);
        assert_eq!(cache.get(&key(1), HOUR, over), Some(kept("b")));
        let figures = cache.figures(over);
        assert_eq!((figures.entries, figures.kept), (1, 2));
        assert_eq!((figures.unkept, figures.evicted), (0, 0));
    }
    assert_eq!(files(&dir).len(), 1, "what is replaced has no file");
}

#[test]
fn nothing_is_kept_for_longer_than_the_cache_keeps_anything() {
    let config = CacheConfig { cache_keep_for: HOUR, ..CacheConfig::default() };
    let dir = dir();
    for cache in both(&config, &dir) {
        cache.put(&key(1), &kept("a"), NOW);
        assert_eq!(cache.get(&key(1), HOUR.times(9), later(HOUR + Span(1))), None);
        cache.put(&key(2), &kept("b"), later(HOUR));
        let figures = cache.figures(later(HOUR));
        assert_eq!((figures.entries, figures.evicted), (1, 1));
    }
    assert_eq!(files(&dir).len(), 1);
}

#[test]
fn what_was_not_used_for_longest_makes_room() {
    let one = file::HEAD_BYTES as u64 + 5;
    let few = CacheConfig { cache_entries_max: 2, ..CacheConfig::default() };
    let small = CacheConfig { cache_bytes_max: 2 * one, ..CacheConfig::default() };
    for config in [few, small] {
        let dir = dir();
        for cache in both(&config, &dir) {
            cache.put(&key(1), &kept("a"), NOW);
            cache.put(&key(2), &kept("b"), NOW);
            assert_eq!(cache.get(&key(1), HOUR, NOW), Some(kept("a")));
            cache.put(&key(3), &kept("c"), NOW);
            assert_eq!(cache.get(&key(2), HOUR, NOW), None);
            assert_eq!(cache.get(&key(1), HOUR, NOW), Some(kept("a")));
            assert_eq!(cache.get(&key(3), HOUR, NOW), Some(kept("c")));
            let figures = cache.figures(NOW);
            assert_eq!((figures.entries, figures.bytes, figures.evicted), (2, 2 * one, 1));
        }
        assert_eq!(files(&dir).len(), 2);
    }
}

#[test]
fn what_is_too_large_is_not_kept() {
    let most = file::HEAD_BYTES as u64 + 5;
    let config = CacheConfig { cache_entry_bytes_max: most, ..CacheConfig::default() };
    let dir = dir();
    for cache in both(&config, &dir) {
        cache.put(&key(1), &kept("a"), NOW);
        cache.put(&key(2), &kept("ab"), NOW);
        let figures = cache.figures(NOW);
        assert_eq!((figures.entries, figures.kept, figures.unkept), (1, 1, 1));
    }
}

#[test]
fn the_next_process_finds_what_is_whole() {
    let dir = dir();
    let open = || Cache::of_dir(CacheConfig::default(), dir.path());
    open().put(&key(1), &kept("a"), NOW);
    open().put(&key(1), &kept("b"), later(HOUR));
    open().put(&key(2), &kept("c"), NOW);
    fs::write(dir.path().join("7.draft"), "half").expect("it can be written");
    fs::write(dir.path().join("README"), "mine").expect("it can be written");
    let cache = open();
    assert_eq!(cache.get(&key(1), HOUR, later(HOUR)), Some(kept("b")));
    assert_eq!(cache.get(&key(2), HOUR, NOW), Some(kept("c")));
    let results = |path: &&PathBuf| path.extension().is_some_and(|end| end == "result");
    assert_eq!(files(&dir).iter().filter(results).count(), 2);
    assert_eq!(files(&dir).len(), 3, "a stranger's file stays, a draft does not");
    assert!(dir.path().join("README").exists());
}

#[test]
fn what_is_damaged_is_a_miss_and_goes() {
    let dir = dir();
    let cache = Cache::of_dir(CacheConfig::default(), dir.path());
    for damage in [&[][..], b"not a result"] {
        cache.put(&key(1), &kept("a"), NOW);
        let path = files(&dir).remove(0);
        fs::write(&path, damage).expect("it can be written");
        assert_eq!(cache.get(&key(1), HOUR, NOW), None);
        assert!(files(&dir).is_empty());
    }
    cache.put(&key(1), &kept("a"), NOW);
    let path = files(&dir).remove(0);
    let mut bytes = fs::read(&path).expect("it can be read");
    *bytes.last_mut().expect("it has some") ^= 1;
    fs::write(&path, bytes).expect("it can be written");
    assert_eq!(cache.get(&key(1), HOUR, NOW), None);
    let figures = cache.figures(NOW);
    assert_eq!((figures.entries, figures.evicted), (0, 3));
}

#[test]
fn a_directory_that_takes_nothing_keeps_nothing() {
    let dir = dir();
    let taken = dir.path().join("file");
    fs::write(&taken, "").expect("it can be written");
    let cache = Cache::of_dir(CacheConfig::default(), &taken.join("cache"));
    cache.put(&key(1), &kept("a"), NOW);
    assert_eq!(cache.get(&key(1), HOUR, NOW), None);
    assert_eq!(cache.figures(NOW).unkept, 1);
}

#[test]
fn clearing_removes_what_is_old_enough() {
    let dir = dir();
    for cache in both(&CacheConfig::default(), &dir) {
        cache.put(&key(1), &kept("a"), NOW);
        cache.put(&key(2), &kept("b"), later(HOUR));
        let one = cache.figures(NOW).bytes / 2;
        assert_eq!(cache.clear(HOUR, later(HOUR)), (1, one));
        assert_eq!(cache.get(&key(1), HOUR, later(HOUR)), None);
        assert_eq!(cache.clear(Span::ZERO, NOW), (1, one), "everything, whatever the clock says");
        assert_eq!(cache.figures(NOW).entries, 0);
    }
    assert!(files(&dir).is_empty());
}
