//! Items for one address, cut into datagrams, and at most so many.

use crate::identity::Address;
use crate::items::{Item, put_item};

/// Datagrams being filled.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    /// Where they go.
    pub(crate) to: Address,
    envelope: Vec<u8>,
    bytes_max: usize,
    left: u32,
    open: Vec<u8>,
    full: Vec<Vec<u8>>,
    cut: bool,
}

impl Parcel {
    /// An empty parcel of at most `datagrams_max` datagrams that start with `envelope`.
    pub(crate) fn new(to: Address, envelope: Vec<u8>, bytes_max: u32, datagrams_max: u32) -> Self {
        let open = envelope.clone();
        let bytes_max = bytes_max as usize;
        Self { to, envelope, bytes_max, left: datagrams_max, open, full: Vec::new(), cut: false }
    }

    /// How many bytes the open datagram has room for.
    pub(crate) fn room(&self) -> usize {
        if self.left == 0 { 0 } else { self.bytes_max - self.open.len() }
    }

    /// Puts an item in, in a new datagram where it does not fit; false where none may be begun.
    pub(crate) fn put(&mut self, item: &Item) -> bool {
        let mut bytes = Vec::new();
        put_item(item, &mut bytes);
        self.put_bytes(&bytes)
    }

    /// Puts a written item in; see [`Parcel::put`].
    pub(crate) fn put_bytes(&mut self, item: &[u8]) -> bool {
        if self.room() < item.len() && !self.close() {
            return false;
        }
        let fits = self.room() >= item.len();
        if fits {
            self.open.extend_from_slice(item);
        }
        self.cut |= !fits;
        fits
    }

    /// Begins a new datagram if the open one holds anything; false where none may be begun.
    pub(crate) fn close(&mut self) -> bool {
        if self.left > 0 && self.open.len() > self.envelope.len() {
            self.full.push(std::mem::replace(&mut self.open, self.envelope.clone()));
            self.left -= 1;
        }
        self.cut |= self.left == 0;
        self.left > 0
    }

    /// Gives all datagrams the envelope of `other`, an empty parcel to the same address. One that
    /// a longer envelope makes too long is left out.
    pub(crate) fn readdress(&mut self, other: Self) {
        if self.envelope == other.envelope {
            return;
        }
        let old = std::mem::replace(&mut self.envelope, other.envelope);
        let envelope = &self.envelope;
        for datagram in self.full.iter_mut().chain([&mut self.open]) {
            datagram.splice(..old.len(), envelope.iter().copied());
        }
        let before = self.full.len();
        self.full.retain(|datagram| datagram.len() <= self.bytes_max);
        self.cut |= self.full.len() < before;
        if self.open.len() > self.bytes_max {
            (self.open, self.cut) = (self.envelope.clone(), true);
        }
    }

    /// The datagrams, and whether anything found no room.
    pub(crate) fn seal(mut self) -> (Vec<Vec<u8>>, bool) {
        let cut = self.cut;
        self.close();
        (self.full, cut)
    }
}

#[cfg(test)]
mod tests {
    use super::Parcel;
    use crate::identity::Address;

    #[test]
    fn items_fill_datagrams_up_to_the_limit() {
        let mut parcel = Parcel::new(Address::Number(1), vec![9], 10, 2);
        let put: Vec<bool> = (0..5).map(|item| parcel.put_bytes(&[item; 4])).collect();
        assert_eq!(put, [true, true, true, true, false]);
        let (datagrams, cut) = parcel.seal();
        assert_eq!(datagrams, [[9, 0, 0, 0, 0, 1, 1, 1, 1], [9, 2, 2, 2, 2, 3, 3, 3, 3]]);
        assert!(cut);
    }

    #[test]
    fn an_exact_fit_is_not_cut_and_nothing_is_no_datagram() {
        let mut parcel = Parcel::new(Address::Number(1), vec![9], 10, 1);
        assert!(parcel.put_bytes(&[1; 9]));
        assert_eq!(parcel.seal(), (vec![vec![9, 1, 1, 1, 1, 1, 1, 1, 1, 1]], false));
        let empty = Parcel::new(Address::Number(1), vec![9], 10, 1);
        assert_eq!(empty.seal(), (vec![], false));
    }
}
