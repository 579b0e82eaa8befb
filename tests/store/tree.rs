//! The tree against the public vectors and two implementations of other people.

use std::collections::HashMap;

use ct_merkle::{RootHash, mem_backed_tree::MemoryBackedTree};
use pinkpaper::audit::{
    entry::{Hash, leaf_hash},
    merkle::{self, Node, Peaks, Span},
};
use proptest::prelude::*;
use sha2::Sha256;
use tlog_tiles::tlog;

/// A tree with every subtree it ever had.
#[derive(Default)]
struct Tree {
    peaks: Peaks,
    roots: Vec<Hash>,
    kept: HashMap<Node, Hash>,
}

impl Tree {
    fn of(leaves: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut tree = Self { roots: vec![merkle::empty_root()], ..Self::default() };
        for leaf in leaves {
            let hash = leaf_hash(&leaf);
            tree.kept.insert(Node { level: 0, index: tree.peaks.size() }, hash);
            tree.kept.extend(tree.peaks.push(hash));
            tree.roots.push(tree.peaks.root());
        }
        tree
    }

    fn counting(size: u64) -> Self {
        Self::of((0..size).map(|at| at.to_string().into_bytes()))
    }

    fn path(&self, spans: &[Span]) -> Vec<Hash> {
        let of = |span: &Span| span.nodes().iter().map(|node| self.kept[node]).collect::<Vec<_>>();
        spans.iter().map(|span| merkle::fold(&of(span)).expect("a span has leaves")).collect()
    }

    fn leaf(&self, index: u64) -> Hash {
        self.kept[&Node { level: 0, index }]
    }

    fn included(&self, index: u64, size: u64) -> Vec<Hash> {
        self.path(&merkle::inclusion(index, size).expect("a leaf of the tree"))
    }

    fn consistent(&self, from: u64, to: u64) -> Vec<Hash> {
        self.path(&merkle::consistency(from, to).expect("the earlier first"))
    }
}

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).expect("hexadecimal")
}

/// The eight leaves with which Certificate Transparency's own tests are written, and the roots they published.
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn roots_are_the_published_ones() {
    let tree = Tree::of(LEAVES.map(unhex));
    assert_eq!(hex::encode(tree.roots[0]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size, root) in (1..).zip(ROOTS) {
        assert_eq!(hex::encode(tree.roots[size]), root, "size {size}");
    }
}

#[test]
fn proofs_are_the_published_ones() {
    let tree = Tree::of(LEAVES.map(unhex));
    let hashes =
        |hashes: &[&str]| hashes.iter().map(|hash| unhex(hash).try_into().expect("a hash")).collect::<Vec<Hash>>();
    // RFC 6962's reference implementation, `kTestInclusion…` and `kTestConsistency…`.
    assert_eq!(
        tree.included(0, 8),
        hashes(&[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ])
    );
    assert_eq!(
        tree.included(5, 8),
        hashes(&[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ])
    );
    assert_eq!(
        tree.consistent(6, 8),
        hashes(&[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ])
    );
    assert_eq!(
        tree.consistent(2, 5),
        hashes(&[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ])
    );
}

/// Hashes at the places where the other implementation looks for them.
struct Shelf<'t>(&'t Tree);

impl tlog::HashReader for Shelf<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        let at = |index: &u64| {
            let (level, index) = tlog::split_stored_hash_index(*index);
            tlog::Hash(self.0.kept[&Node { level, index }])
        };
        Ok(indexes.iter().map(at).collect())
    }
}

#[test]
fn roots_and_proofs_are_those_of_the_port_of_gos_tlog() {
    let tree = Tree::counting(70);
    let shelf = Shelf(&tree);
    for size in 1..=70_u64 {
        let root = tlog::Hash(tree.roots[size as usize]);
        assert_eq!(tlog::tree_hash(size, &shelf).expect("a root").0, root.0);
        for index in 0..size {
            let theirs = tlog::prove_record(size, index, &shelf).expect("a proof");
            assert_eq!(theirs.iter().map(|hash| hash.0).collect::<Vec<_>>(), tree.included(index, size));
        }
        for from in 1..=size {
            let theirs = tlog::prove_tree(size, from, &shelf).expect("a proof");
            let theirs: Vec<Hash> = theirs.iter().map(|hash| hash.0).collect();
            let ours = tree.consistent(from, size);
            assert_eq!(theirs, ours, "{from} to {size}");
        }
    }
}

#[test]
fn our_proofs_convince_ct_merkle() {
    let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let ours = Tree::counting(40);
    for size in 1..=40_u64 {
        theirs.push((size - 1).to_string().into_bytes());
        let root: RootHash<Sha256> = theirs.root();
        assert_eq!(&root.as_bytes()[..], ours.roots[size as usize]);
        for index in 0..size {
            let path: Vec<u8> = ours.included(index, size).concat();
            let proof = ct_merkle::InclusionProof::try_from_bytes(path).expect("a proof");
            root.verify_inclusion(&index.to_string().into_bytes(), index, &proof).expect("included");
        }
    }
}

#[test]
fn a_place_is_a_key() {
    let tree = Tree::counting(300);
    let mut places: Vec<u64> = tree.kept.keys().map(|node| node.place()).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), tree.kept.len());
    assert_eq!(Node { level: 0, index: 3 }.place(), 6);
    assert_eq!(Node { level: 2, index: 0 }.place(), 3);
}

#[test]
fn a_proof_of_what_is_not_there_is_not_made() {
    assert_eq!(merkle::inclusion(7, 7), None);
    assert_eq!(merkle::inclusion(0, 0), None);
    assert_eq!(merkle::consistency(8, 7), None);
    assert!(Peaks::new(7, vec![[0; 32]; 2]).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn a_proof_is_good_for_its_own_leaf_place_size_and_root_only(
        size in 1..300_u64, at in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(),
        bit in 0..256_usize, spoilt in any::<prop::sample::Index>(),
    ) {
        let tree = Tree::counting(size);
        let index = at.index(size as usize) as u64;
        let (leaf, root, path) = (tree.leaf(index), tree.roots[size as usize], tree.included(index, size));
        prop_assert!(merkle::verify_inclusion(index, size, &leaf, &path, &root));
        let elsewhere = other.index(size as usize) as u64;
        if elsewhere != index {
            prop_assert!(!merkle::verify_inclusion(elsewhere, size, &leaf, &path, &root));
            prop_assert!(!merkle::verify_inclusion(index, size, &tree.leaf(elsewhere), &path, &root));
        }
        prop_assert!(!merkle::verify_inclusion(index, size, &leaf, &path, &tree.roots[size as usize - 1]));
        prop_assert!(!merkle::verify_inclusion(size, size, &leaf, &path, &root));
        let mut longer = path.clone();
        longer.push(root);
        prop_assert!(!merkle::verify_inclusion(index, size, &leaf, &longer, &root));
        if !path.is_empty() {
            prop_assert!(!merkle::verify_inclusion(index, size, &leaf, &path[1..], &root));
            let mut wrong = path.clone();
            let spoilt = spoilt.index(path.len());
            wrong[spoilt][bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!merkle::verify_inclusion(index, size, &leaf, &wrong, &root));
        }
    }

    #[test]
    fn a_later_tree_is_consistent_with_its_own_past_only(
        to in 1..300_u64, at in any::<prop::sample::Index>(), bit in 0..256_usize, spoilt in any::<prop::sample::Index>(),
    ) {
        let tree = Tree::counting(to);
        let from = at.index(to as usize + 1) as u64;
        let (old, new, path) = (tree.roots[from as usize], tree.roots[to as usize], tree.consistent(from, to));
        prop_assert!(merkle::verify_consistency(from, &old, to, &new, &path));
        // The same entries but one.
        let other = Tree::of((0..to).map(|at| if at == 0 { b"another".to_vec() } else { at.to_string().into_bytes() }));
        if from > 0 {
            prop_assert!(!merkle::verify_consistency(from, &other.roots[from as usize], to, &new, &path));
            prop_assert!(!merkle::verify_consistency(from, &old, to, &other.roots[to as usize], &path));
            prop_assert!(!merkle::verify_consistency(from - 1, &old, to, &new, &path));
        }
        let mut longer = path.clone();
        longer.push(new);
        prop_assert!(!merkle::verify_consistency(from, &old, to, &new, &longer));
        if !path.is_empty() {
            prop_assert!(!merkle::verify_consistency(from, &old, to, &new, &path[1..]));
            let mut wrong = path.clone();
            let spoilt = spoilt.index(path.len());
            wrong[spoilt][bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!merkle::verify_consistency(from, &old, to, &new, &wrong));
        }
    }
}

#[test]
fn a_tree_is_put_together_again_from_any_cut() {
    let tree = Tree::counting(45);
    for from in 0..=45_u64 {
        for to in from..=45 {
            let mut peaks = Peaks::default();
            for node in [Span(0..from), Span(from..to), Span(to..45)].iter().flat_map(Span::nodes) {
                peaks.graft(node.level, tree.kept[&node]);
            }
            assert_eq!(peaks, tree.peaks, "cut at {from} and {to}");
        }
    }
}
