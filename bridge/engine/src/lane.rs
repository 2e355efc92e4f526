//! A queue whose entries have ascending keys, and from whose middle entries can be taken by their key.

use std::collections::VecDeque;

/// Empty space larger than this is given back when the lane runs empty, so that an idle stream is small.
const KEPT_CAPACITY: usize = 256;

/// Entries in the order of their keys. Taking one from the middle leaves a hole, closed when it surfaces or
/// when holes outnumber entries; the first place is never a hole.
#[derive(Debug)]
pub struct Lane<T> {
    places: VecDeque<(u64, Option<T>)>,
    live: usize,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self { places: VecDeque::new(), live: 0 }
    }
}

impl<T> Lane<T> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Adds an entry; its key is larger than all before it.
    pub fn push(&mut self, key: u64, entry: T) {
        debug_assert!(self.places.back().is_none_or(|(last, _)| *last < key), "keys ascend");
        self.places.push_back((key, Some(entry)));
        self.live += 1;
    }

    /// The first entry, if there is one.
    pub fn first(&self) -> Option<&T> {
        self.places.front().and_then(|(_, entry)| entry.as_ref())
    }

    /// The first entry's key, if there is one.
    pub fn first_key(&self) -> Option<u64> {
        self.places.front().map(|(key, _)| *key)
    }

    /// Takes the first entry, if there is one.
    pub fn pop(&mut self) -> Option<(u64, T)> {
        let (key, entry) = self.places.pop_front()?;
        self.live -= 1;
        self.tidy();
        Some((key, entry.expect("the first place is never a hole")))
    }

    /// Takes the entry of this key, if there is one.
    pub fn remove(&mut self, key: u64) -> Option<T> {
        let place = self.place(key)?;
        let entry = self.places[place].1.take()?;
        self.live -= 1;
        self.tidy();
        Some(entry)
    }

    /// Whether there is an entry of this key.
    pub fn contains(&self, key: u64) -> bool {
        self.place(key).is_some_and(|place| self.places[place].1.is_some())
    }

    /// Every entry, in order.
    pub fn into_values(self) -> impl Iterator<Item = T> {
        self.places.into_iter().filter_map(|(_, entry)| entry)
    }

    fn place(&self, key: u64) -> Option<usize> {
        match self.first_key() {
            Some(first) if first == key => Some(0),
            _ => self.places.binary_search_by_key(&key, |(key, _)| *key).ok(),
        }
    }

    fn tidy(&mut self) {
        if self.live == 0 {
            self.places.clear();
            self.places.shrink_to(KEPT_CAPACITY);
            return;
        }
        while self.places.front().is_some_and(|(_, entry)| entry.is_none()) {
            self.places.pop_front();
        }
        if self.places.len() > 64 && self.places.len() > 2 * self.live {
            self.places.retain(|(_, entry)| entry.is_some());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_sorted_map_by_key(steps in prop::collection::vec((0..4u8, 0..400u64), 0..400)) {
            let (mut lane, mut model, mut last) = (Lane::default(), BTreeMap::new(), 0);
            for (what, pick) in steps {
                match what {
                    0 | 1 => {
                        last += 1 + pick % 3;
                        lane.push(last, last);
                        model.insert(last, last);
                    }
                    2 => prop_assert_eq!(lane.pop(), model.pop_first()),
                    _ => prop_assert_eq!(lane.remove(pick), model.remove(&pick)),
                }
                prop_assert_eq!(lane.len(), model.len());
                prop_assert_eq!(lane.first_key(), model.keys().next().copied());
                prop_assert_eq!(lane.contains(pick), model.contains_key(&pick));
            }
            prop_assert!(lane.into_values().eq(model.into_values()));
        }
    }

    #[test]
    fn holes_do_not_pile_up() {
        let mut lane = Lane::default();
        lane.push(0, 0);
        for key in 1..10_000 {
            lane.push(key, key);
            assert_eq!(lane.remove(key), Some(key));
            assert!(lane.places.len() <= 65);
        }
        assert_eq!(lane.len(), 1);
    }
}
