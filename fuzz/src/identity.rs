//! Files that say who may do what, and who did what.

use bary_api::role::Role;
use bary_identity::audit::chain::Chain;
use bary_identity::audit::reader::{self, Reader};
use bary_identity::audit::{Entry, Outcome};
use bary_identity::keyring::Keyring;
use bary_identity::name::Name;
use bary_identity::token::Token;
use bary_model::time::Wall;

/// What the last line of a keyring begins with.
const SUM: &str = "sum: ";

/// Any text is refused, or a keyring that is printed and read back the same. Since a sum that fits
/// is rarely met by chance, the text is tried with the right one too.
///
/// # Panics
/// Where it is not.
pub fn keyring(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let above = text.find(&format!("\n{SUM}")).map_or(text, |at| &text[..=at]);
    let mut summed = above.to_owned();
    if !summed.ends_with('\n') {
        summed.push('\n');
    }
    let sum = blake3::hash(summed.as_bytes()).to_hex();
    summed.push_str(&format!("{SUM}{sum}\n"));
    for text in [text, &summed] {
        if let Ok(keyring) = Keyring::parse(text) {
            assert_eq!(Keyring::parse(&keyring.print()), Ok(keyring));
        }
    }
}

/// Any bytes are refused at a line, or a log whose lines are numbered one after another.
///
/// # Panics
/// Where they are not.
pub fn audit(bytes: &[u8]) {
    let verified = reader::verify(bytes, None);
    let Ok(mut lines) = Reader::new(bytes) else {
        assert!(verified.is_err(), "one refuses what the other takes");
        return;
    };
    let mut before = lines.chain().number();
    while let Ok(Some(line)) = lines.next_line() {
        assert_eq!(line.number, before + 1);
        before = line.number;
    }
    if let Ok(chain) = verified {
        assert_eq!(chain.number(), before);
        assert_eq!(lines.bytes(), bytes.len() as u64);
    }
}

/// Keyrings with no token, one and two.
#[must_use]
pub fn keyring_seeds() -> Vec<Vec<u8>> {
    let mut keyring = Keyring::default();
    let mut seeds = vec![keyring.print().into_bytes()];
    let roles = [("ann", Role::Viewer, None), ("ci", Role::Operator, Some(Wall(1 << 62)))];
    for (number, (name, role, expires)) in roles.into_iter().enumerate() {
        let token = Token::new([number as u8; 32]);
        let name = Name::new(name).expect("it is a name");
        keyring.add(name, role, &token, Wall(1 << 60), expires).expect("there is room");
        seeds.push(keyring.print().into_bytes());
    }
    seeds
}

/// Logs with no line, and with three.
#[must_use]
pub fn audit_seeds() -> Vec<Vec<u8>> {
    let mut chain = Chain::default();
    let mut log = chain.head();
    let mut seeds = vec![log.clone().into_bytes()];
    let roles = [(Outcome::Done, Some(Role::Admin)), (Outcome::Refused, None)];
    for (outcome, role) in roles {
        let entry = Entry {
            at: Wall(1 << 60),
            who: "ann",
            role,
            door: "grpc",
            verb: "cancel",
            target: "7",
            outcome,
            reason: "a \"reason\"",
        };
        log.push_str(&chain.append(&entry).1);
        seeds.push(log.clone().into_bytes());
    }
    seeds
}
