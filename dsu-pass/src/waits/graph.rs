//! Dominators and natural loops of a function: LLVM's C interface has neither.

use std::collections::{BTreeSet, HashMap};

use crate::llvm::{Block, Value};

/// The blocks that can be reached from a function's entry, in reverse post-order: the entry is number 0.
#[derive(Debug)]
pub(super) struct Graph<'m> {
    pub(super) blocks: Vec<Block<'m>>,
    pub(super) predecessors: Vec<Vec<usize>>,
    /// Outer loops before the loops in them.
    pub(super) loops: Vec<Loop>,
    numbers: HashMap<Block<'m>, usize>,
    /// Immediate dominator of each block; the entry's is itself.
    dominators: Vec<usize>,
}

/// A natural loop.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) header: usize,
    pub(super) blocks: BTreeSet<usize>,
    /// The loop right around it.
    pub(super) parent: Option<usize>,
    /// Whether some block of it goes on outside.
    pub(super) ends: bool,
}

impl<'m> Graph<'m> {
    pub(super) fn of(function: Value<'m>) -> Self {
        let blocks = reverse_post_order(function);
        let numbers: HashMap<_, _> = blocks.iter().enumerate().map(|(number, &block)| (block, number)).collect();
        let successors: Vec<Vec<usize>> =
            blocks.iter().map(|block| block.successors().iter().map(|next| numbers[next]).collect()).collect();
        let mut predecessors = vec![Vec::new(); blocks.len()];
        for (from, next) in successors.iter().enumerate() {
            next.iter().for_each(|&to| predecessors[to].push(from));
        }
        let dominators = dominators(&predecessors);
        let mut graph = Self { blocks, predecessors, loops: Vec::new(), numbers, dominators };
        graph.loops = graph.find_loops(&successors);
        graph
    }

    /// Number of the block an instruction is in, if it can be reached.
    pub(super) fn number(&self, instruction: Value<'m>) -> Option<usize> {
        self.numbers.get(&instruction.block()?).copied()
    }

    pub(super) fn dominates(&self, above: usize, mut block: usize) -> bool {
        // Dominators come earlier in reverse post-order.
        while block > above {
            block = self.dominators[block];
        }
        block == above
    }

    /// The loop of the outermost level that a block is in.
    pub(super) fn outermost(&self, block: usize) -> Option<usize> {
        (0..self.loops.len()).find(|&at| self.loops[at].parent.is_none() && self.loops[at].blocks.contains(&block))
    }

    /// The loops around a block, the innermost first.
    pub(super) fn around(&self, block: usize) -> Vec<usize> {
        let mut around: Vec<_> = (0..self.loops.len()).filter(|&at| self.loops[at].blocks.contains(&block)).collect();
        around.reverse();
        around
    }

    fn find_loops(&self, successors: &[Vec<usize>]) -> Vec<Loop> {
        let mut by_header: HashMap<usize, BTreeSet<usize>> = HashMap::new();
        for (from, next) in successors.iter().enumerate() {
            for &header in next.iter().filter(|&&header| self.dominates(header, from)) {
                let body = by_header.entry(header).or_insert_with(|| BTreeSet::from([header]));
                let mut open = vec![from];
                while let Some(block) = open.pop() {
                    if body.insert(block) {
                        open.extend(&self.predecessors[block]);
                    }
                }
            }
        }
        let mut found: Vec<_> = by_header.into_iter().collect();
        found.sort_by_key(|(header, body)| (std::cmp::Reverse(body.len()), *header));
        let mut loops: Vec<Loop> = Vec::new();
        for (header, blocks) in found {
            let parent = loops.iter().rposition(|outer| outer.blocks.contains(&header));
            let ends = blocks.iter().flat_map(|&block| &successors[block]).any(|next| !blocks.contains(next));
            loops.push(Loop { header, blocks, parent, ends });
        }
        loops
    }
}

fn reverse_post_order(function: Value<'_>) -> Vec<Block<'_>> {
    let Some(&entry) = function.blocks().first() else { return Vec::new() };
    let (mut seen, mut order) = (std::collections::HashSet::from([entry]), Vec::new());
    let mut path = vec![(entry, entry.successors())];
    while let Some((block, next)) = path.last_mut() {
        match next.pop() {
            Some(successor) if seen.insert(successor) => path.push((successor, successor.successors())),
            Some(_) => {}
            None => {
                order.push(*block);
                path.pop();
            }
        }
    }
    order.reverse();
    order
}

/// Cooper, Harvey and Kennedy's iteration over reverse post-order.
fn dominators(predecessors: &[Vec<usize>]) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let mut above = vec![NONE; predecessors.len()];
    if let Some(entry) = above.first_mut() {
        *entry = 0;
    }
    loop {
        let mut changed = false;
        for block in 1..predecessors.len() {
            let known = predecessors[block].iter().copied().filter(|&from| above[from] != NONE);
            let new = known.reduce(|a, b| meet(&above, a, b)).unwrap_or(NONE);
            changed |= above[block] != new;
            above[block] = new;
        }
        if !changed {
            return above;
        }
    }
}

fn meet(above: &[usize], mut a: usize, mut b: usize) -> usize {
    while a != b {
        if a > b { a = above[a] } else { b = above[b] }
    }
    a
}
