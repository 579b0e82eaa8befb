//! The tree over the leaves: RFC 9162 §2.1, with its proofs.
//!
//! Every leaf hash of the log is a leaf of one binary tree that only grows. Its root stands for all entries in their
//! order. An *inclusion proof* shows that an entry is in the tree of a given size, a *consistency proof* that a later
//! tree begins with an earlier one; both are about as many hashes as the size has binary digits.
//!
//! Nothing is ever overwritten: the hash of a *perfect* subtree (2ᵏ leaves, at a multiple of 2ᵏ) never changes, so it
//! is kept once under its [`Node`], and whatever is asked of a tree of any size, past or present, is made of those.
//! The perfect subtrees that a tree falls into, largest first, are its [`Peaks`]; appending needs nothing else.
//!
//! It does not know what a leaf says, nor where hashes are kept: a proof is a list of [`Span`]s, and whoever holds the
//! hashes supplies [`Span::nodes`] and folds them with [`fold`].
//!
//! Worked example: the refusal of Cllr B. One is leaf 5 of 7. Its proof is leaf 4, the subtree of leaves 0 to 3, and
//! leaf 6: `inclusion(5, 7)` gives the spans 4..5, 6..7 and 0..4.
//!
//! The invariant: [`verify_inclusion`] and [`verify_consistency`] accept what these functions make, and nothing for
//! another leaf, place, size or root. They are held to the public vectors and to two other implementations in
//! `tests/store/tree.rs`.
//!
//! Where next: [`super::checkpoint`].

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::entry::Hash;

/// RFC 9162 §2.1.1: an inner node can never be taken for a leaf.
const NODE_PREFIX: u8 = 0x01;

/// A perfect subtree: the leaves from `index · 2^level`, `2^level` of them. Level 0 is a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    pub level: u8,
    pub index: u64,
}

impl Node {
    /// Its place when all subtrees are read from left to right: one number, as a key. Leaves have the even ones.
    pub fn place(self) -> u64 {
        ((2 * self.index + 1) << self.level) - 1
    }
}

/// Neighbouring leaves whose joint hash a proof needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span(pub Range<u64>);

impl Span {
    /// The perfect subtrees it falls into, left to right, as large as its two ends allow.
    pub fn nodes(&self) -> Vec<Node> {
        let (mut at, mut nodes) = (self.0.start, Vec::new());
        while at < self.0.end {
            let level = at.trailing_zeros().min((self.0.end - at).ilog2());
            nodes.push(Node { level: narrow(level), index: at >> level });
            at += 1 << level;
        }
        nodes
    }
}

/// A tree's perfect subtrees, largest first: all that is needed to append and to give the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peaks {
    size: u64,
    hashes: Vec<Hash>,
}

impl Peaks {
    /// The peaks of a tree of this size; none if there are not as many hashes as it has peaks.
    pub fn new(size: u64, hashes: Vec<Hash>) -> Option<Self> {
        (hashes.len() == size.count_ones() as usize).then_some(Self { size, hashes })
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// Appends a leaf; gives each subtree that it makes perfect, the leaf itself not among them.
    pub fn push(&mut self, leaf: Hash) -> Vec<(Node, Hash)> {
        self.graft(0, leaf)
    }

    /// Appends a whole perfect subtree where one of its level may begin.
    pub fn graft(&mut self, level: u8, subtree: Hash) -> Vec<(Node, Hash)> {
        let (mut hash, mut made) = (subtree, Vec::new());
        let carried = (self.size >> level).trailing_ones();
        for level in u32::from(level) + 1..=u32::from(level) + carried {
            let Some(left) = self.hashes.pop() else { break };
            hash = node_hash(&left, &hash);
            made.push((Node { level: narrow(level), index: self.size >> level }, hash));
        }
        self.hashes.push(hash);
        self.size += 1 << level;
        made
    }

    pub fn root(&self) -> Hash {
        fold(&self.hashes).unwrap_or_else(empty_root)
    }
}

/// The root of a tree without leaves.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The hash of two subtrees as one.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([NODE_PREFIX]).chain_update(left).chain_update(right).finalize().into()
}

/// The hash of neighbouring perfect subtrees, largest first, as one; none of none.
pub fn fold(subtrees: &[Hash]) -> Option<Hash> {
    let (last, others) = subtrees.split_last()?;
    Some(others.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}

/// What proves that a tree of `size` has this leaf, nearest first (RFC 9162 §2.1.3.1). None if it has no such leaf.
pub fn inclusion(index: u64, size: u64) -> Option<Vec<Span>> {
    if index >= size {
        return None;
    }
    let (mut spans, mut tree) = (Vec::new(), 0..size);
    while tree.end - tree.start > 1 {
        let middle = tree.start + split(tree.end - tree.start);
        if index < middle {
            spans.push(Span(middle..tree.end));
            tree.end = middle;
        } else {
            spans.push(Span(tree.start..middle));
            tree.start = middle;
        }
    }
    spans.reverse();
    Some(spans)
}

/// What proves that the tree of size `to` begins with that of size `from` (RFC 9162 §2.1.4.1). Empty where there is
/// nothing to prove: the same tree, or an empty one before. None if `from` is the larger.
pub fn consistency(from: u64, to: u64) -> Option<Vec<Span>> {
    if from > to {
        return None;
    }
    if from == 0 || from == to {
        return Some(Vec::new());
    }
    let (mut spans, mut tree, mut known) = (Vec::new(), 0..to, true);
    while from != tree.end {
        let middle = tree.start + split(tree.end - tree.start);
        if from <= middle {
            spans.push(Span(middle..tree.end));
            tree.end = middle;
        } else {
            spans.push(Span(tree.start..middle));
            tree.start = middle;
            known = false;
        }
    }
    if !known {
        spans.push(Span(tree));
    }
    spans.reverse();
    Some(spans)
}

/// Whether `path` leads from the leaf to the root (RFC 9162 §2.1.3.2).
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for beside in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(beside, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, beside);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether the tree of size `to` begins with that of size `from` (RFC 9162 §2.1.4.2).
pub fn verify_consistency(from: u64, old: &Hash, to: u64, new: &Hash, path: &[Hash]) -> bool {
    if from > to || (from == to && old != new) || (from == 0 && *old != empty_root()) {
        return false;
    }
    if from == 0 || from == to {
        return path.is_empty();
    }
    let whole = from.is_power_of_two().then_some(*old);
    let mut path = whole.iter().chain(path);
    let Some(first) = path.next() else { return false };
    let (mut at, mut last) = (from - 1, to - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut before, mut after) = (*first, *first);
    for beside in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            before = node_hash(beside, &before);
            after = node_hash(beside, &after);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            after = node_hash(&after, beside);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && before == *old && after == *new
}

/// The size of the left half of a tree of more than one leaf: the largest power of two below its size.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// A level: a tree of 64-bit sizes has no more than 64.
fn narrow(level: u32) -> u8 {
    u8::try_from(level).unwrap_or(u8::MAX)
}
