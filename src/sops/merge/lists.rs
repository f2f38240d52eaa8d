//! Which entries of three maps or lists are the same one.

use super::digest::Digest;
use super::weave::{Slot, Three, Version};
use crate::sops::document::tree::{Collection, NodeId, Tree};

/// A key, and how many entries before it have the same one.
pub(super) type KeyAt = (String, usize);

pub(super) fn keys_of(tree: &Tree, id: NodeId) -> Vec<KeyAt> {
    let mut seen = std::collections::HashMap::<String, usize>::new();
    let entries = tree
        .collection(id)
        .into_iter()
        .flat_map(Collection::entries);
    entries
        .map(|entry| {
            let key = entry
                .key
                .as_ref()
                .map_or_else(String::new, |key| key.text.clone());
            let count = seen.entry(key.clone()).or_default();
            *count += 1;
            (key, *count - 1)
        })
        .collect()
}

pub(super) fn items_of(version: &Version<'_>, id: NodeId) -> Vec<Digest> {
    let tree = version.tree;
    let entries = tree
        .collection(id)
        .into_iter()
        .flat_map(Collection::entries);
    entries.map(|entry| version.digest(entry.value)).collect()
}

/// Ours in their order; what only theirs has comes after what it follows there, and after additions of ours.
pub(super) fn align_maps(keys: &Three<Vec<KeyAt>>) -> Vec<Slot> {
    use std::collections::HashMap;
    let places = |keys: &[KeyAt]| -> HashMap<KeyAt, usize> {
        keys.iter()
            .cloned()
            .enumerate()
            .map(|(at, key)| (key, at))
            .collect()
    };
    let base = places(keys.base.as_deref().unwrap_or_default());
    let theirs = places(&keys.theirs);
    let mut slots: Vec<Slot> = keys
        .ours
        .iter()
        .enumerate()
        .map(|(at, key)| Slot {
            base: base.get(key).copied(),
            ours: Some(at),
            theirs: theirs.get(key).copied(),
        })
        .collect();
    let ours = places(&keys.ours);
    let mut before: Option<usize> = None;
    for (at, key) in keys.theirs.iter().enumerate() {
        if !ours.contains_key(key) {
            let follows =
                before.and_then(|before| slots.iter().position(|slot| slot.theirs == Some(before)));
            let mut place = follows.map_or(0, |place| place + 1);
            while slots
                .get(place)
                .is_some_and(|it| it.base.is_none() && it.theirs.is_none())
            {
                place += 1;
            }
            slots.insert(
                place,
                Slot {
                    base: base.get(key).copied(),
                    ours: None,
                    theirs: Some(at),
                },
            );
        }
        before = Some(at);
    }
    slots
}

/// Lists of one length are merged position by position; else the changes of both sides must lie apart.
pub(super) fn align_lists(items: &Three<Vec<Digest>>) -> Option<Vec<Slot>> {
    let base = items.base.as_ref()?;
    if base.len() == items.ours.len() && base.len() == items.theirs.len() {
        let all = (0..base.len()).map(Some);
        return Some(
            all.map(|at| Slot {
                base: at,
                ours: at,
                theirs: at,
            })
            .collect(),
        );
    }
    let ours = Change::between(base, &items.ours);
    let theirs = Change::between(base, &items.theirs);
    // Where they touch, nobody can say what comes first.
    if ours.end < theirs.start {
        Some(slots_of(base.len(), &ours, &theirs))
    } else if theirs.end < ours.start {
        let swapped = slots_of(base.len(), &theirs, &ours);
        let swap = |slot: Slot| Slot {
            ours: slot.theirs,
            theirs: slot.ours,
            ..slot
        };
        Some(swapped.into_iter().map(swap).collect())
    } else {
        None
    }
}

/// The part of a list that differs from before: `start..end` there has become `count` items.
struct Change {
    start: usize,
    end: usize,
    count: usize,
}

impl Change {
    fn between(before: &[Digest], after: &[Digest]) -> Self {
        let same = |(one, other): &(&Digest, &Digest)| one == other;
        let start = before.iter().zip(after).take_while(same).count();
        let (rest_before, rest_after) = (&before[start..], &after[start..]);
        let back = rest_before
            .iter()
            .rev()
            .zip(rest_after.iter().rev())
            .take_while(same)
            .count();
        Self {
            start,
            end: before.len() - back,
            count: after.len() - back - start,
        }
    }

    /// How many items more there are after the change.
    fn after(&self, at: usize) -> usize {
        at + self.count + self.start - self.end
    }
}

/// `first` is by ours and lies before `second`, which is by theirs.
fn slots_of(len: usize, first: &Change, second: &Change) -> Vec<Slot> {
    let mut slots = Vec::new();
    let both = |slots: &mut Vec<Slot>,
                range: std::ops::Range<usize>,
                ours: &dyn Fn(usize) -> usize,
                theirs: &dyn Fn(usize) -> usize| {
        slots.extend(range.map(|at| Slot {
            base: Some(at),
            ours: Some(ours(at)),
            theirs: Some(theirs(at)),
        }));
    };
    let same = |at: usize| at;
    both(&mut slots, 0..first.start, &same, &same);
    let changed = first.start..first.start + first.count;
    slots.extend(changed.map(|at| Slot {
        ours: Some(at),
        ..Slot::default()
    }));
    both(
        &mut slots,
        first.end..second.start,
        &|at| first.after(at),
        &same,
    );
    let changed = second.start..second.start + second.count;
    slots.extend(changed.map(|at| Slot {
        theirs: Some(at),
        ..Slot::default()
    }));
    both(&mut slots, second.end..len, &|at| first.after(at), &|at| {
        second.after(at)
    });
    slots
}
