//! Things that live at a place of their own, so that others can refer to them by a number that is cheap to
//! follow. Rust's substitute for the references that the twin holds.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// Where a thing lives while it lives.
pub struct Slot<T> {
    place: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Slot<T> {}

impl<T> PartialEq for Slot<T> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<T> Eq for Slot<T> {}

impl<T> std::fmt::Debug for Slot<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "#{}", self.place)
    }
}

/// Things by their slots. A slot is used again once its thing is gone, so nothing may keep one for longer.
#[derive(Debug)]
pub struct Slots<T> {
    things: Vec<Option<Box<T>>>,
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { things: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// How many things there are.
    pub fn len(&self) -> usize {
        self.things.len() - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives a thing a place.
    pub fn insert(&mut self, thing: T) -> Slot<T> {
        let place = self.free.pop().unwrap_or_else(|| {
            self.things.push(None);
            u32::try_from(self.things.len() - 1).expect("memory ends before four thousand million things")
        });
        self.things[place as usize] = Some(Box::new(thing));
        Slot { place, of: PhantomData }
    }

    /// Takes a thing away from its place.
    pub fn remove(&mut self, slot: Slot<T>) -> Box<T> {
        let thing =
            self.things[slot.place as usize].take().expect("a slot is kept only while its thing lives");
        self.free.push(slot.place);
        thing
    }

    /// Everything, in no order that matters.
    pub fn iter(&self) -> impl Iterator<Item = (Slot<T>, &T)> {
        let placed = (0..).map(|place| Slot { place, of: PhantomData }).zip(&self.things);
        placed.filter_map(|(slot, thing)| Some((slot, thing.as_deref()?)))
    }

    /// Everything, to be changed, in no order that matters.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.things.iter_mut().filter_map(Option::as_deref_mut)
    }
}

impl<T> Index<Slot<T>> for Slots<T> {
    type Output = T;

    fn index(&self, slot: Slot<T>) -> &T {
        self.things[slot.place as usize].as_deref().expect("a slot is kept only while its thing lives")
    }
}

impl<T> IndexMut<Slot<T>> for Slots<T> {
    fn index_mut(&mut self, slot: Slot<T>) -> &mut T {
        self.things[slot.place as usize].as_deref_mut().expect("a slot is kept only while its thing lives")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_used_again() {
        let mut slots = Slots::default();
        let (one, two) = (slots.insert("one"), slots.insert("two"));
        assert_eq!((slots[one], slots[two], slots.len()), ("one", "two", 2));
        assert_eq!(*slots.remove(one), "one");
        let three = slots.insert("three");
        assert_eq!((three, slots[three]), (one, "three"));
        assert_eq!(slots.iter().map(|(_, thing)| *thing).collect::<Vec<_>>(), ["three", "two"]);
    }

    #[test]
    #[should_panic(expected = "a slot is kept only while its thing lives")]
    fn a_slot_kept_for_too_long_shows() {
        let mut slots = Slots::default();
        let slot = slots.insert(1);
        slots.remove(slot);
        assert_eq!(slots[slot], 1);
    }
}
