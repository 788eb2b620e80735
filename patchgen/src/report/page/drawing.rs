//! Places for the call graph's boxes and arrows: callers to the left of what they call, one column per layer.

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;
use serde::Serialize;

use crate::report::picture::{Kind as EdgeKind, Part, Picture};

const CHARACTER: f64 = 7.4;
const HEIGHT: f64 = 30.0;
const ROW: f64 = 46.0;
const GAP: f64 = 70.0;
const MARGIN: f64 = 16.0;

/// A box.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Place {
    /// Left edge.
    pub(super) x: f64,
    /// Upper edge.
    pub(super) y: f64,
    /// Width.
    pub(super) width: f64,
    /// Height.
    pub(super) height: f64,
    /// Text in it.
    pub(super) label: String,
    /// What the pointer shows.
    pub(super) hint: String,
    /// Its part in the patch.
    pub(super) part: Part,
    /// It belongs to a circle of calls.
    pub(super) recursive: bool,
}

/// An arrow.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Arrow {
    /// SVG path.
    pub(super) path: String,
    /// How the functions are connected.
    pub(super) kind: EdgeKind,
}

/// A drawing.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Drawing {
    /// Width of all.
    pub(super) width: f64,
    /// Height of all.
    pub(super) height: f64,
    /// Boxes.
    pub(super) places: Vec<Place>,
    /// Arrows.
    pub(super) arrows: Vec<Arrow>,
}

/// Lays a graph out.
pub(super) fn draw(picture: &Picture) -> Drawing {
    let layers = layers(picture);
    let columns = order(picture, &layers);
    let width = |node: usize| picture.nodes[node].name.chars().count() as f64 * CHARACTER + 22.0;
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0) as f64 * ROW;
    let mut places: Vec<Option<Place>> = vec![None; picture.nodes.len()];
    let mut x = MARGIN;
    for column in &columns {
        let widest = column.iter().map(|&n| width(n)).fold(0.0, f64::max);
        let mut y = MARGIN + (tallest - column.len() as f64 * ROW) / 2.0 + (ROW - HEIGHT) / 2.0;
        for &number in column {
            places[number] = Some(place(picture, number, [x, y, width(number)]));
            y += ROW;
        }
        x += widest + GAP;
    }
    let places: Vec<Place> = places.into_iter().flatten().collect();
    let arrows = picture.edges.iter().map(|e| Arrow { path: path(&places[e.from], &places[e.to]), kind: e.kind });
    Drawing { width: x - GAP + MARGIN + 30.0, height: tallest + 2.0 * MARGIN, arrows: arrows.collect(), places }
}

fn place(picture: &Picture, number: usize, [x, y, width]: [f64; 3]) -> Place {
    let node = &picture.nodes[number];
    let taken = match node.address_taken_by.is_empty() {
        true => String::new(),
        false => format!("; address held by {}", node.address_taken_by.join(", ")),
    };
    let circle = node.recursion.map_or(String::new(), |n| format!("; circle {}", n + 1));
    Place {
        x,
        y,
        width,
        height: HEIGHT,
        label: node.name.clone(),
        hint: format!("{} of {}{taken}{circle}", node.name, node.unit),
        part: node.part,
        recursive: node.recursion.is_some(),
    }
}

/// Layer of each node: one more than its callers', where a circle counts as one node.
fn layers(picture: &Picture) -> Vec<usize> {
    let mut graph: DiGraph<(), ()> = DiGraph::new();
    let nodes: Vec<_> = picture.nodes.iter().map(|_| graph.add_node(())).collect();
    for edge in &picture.edges {
        graph.add_edge(nodes[edge.from], nodes[edge.to], ());
    }
    let mut layers = vec![0; nodes.len()];
    // Callees come first, so from the back every caller has its layer before its callees need it.
    for group in tarjan_scc(&graph).into_iter().rev() {
        let inside = |n: &petgraph::graph::NodeIndex| group.contains(n);
        let callers = group.iter().flat_map(|n| graph.neighbors_directed(*n, petgraph::Direction::Incoming));
        let layer = callers.filter(|n| !inside(n)).map(|n| layers[n.index()] + 1).max().unwrap_or(0);
        group.iter().for_each(|n| layers[n.index()] = layer);
    }
    layers
}

/// The nodes of each layer, those of common neighbours close together.
fn order(picture: &Picture, layers: &[usize]) -> Vec<Vec<usize>> {
    const SWEEPS: usize = 8;
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); layers.iter().max().map_or(0, |m| m + 1)];
    layers.iter().enumerate().for_each(|(node, &layer)| columns[layer].push(node));
    let mut rank = vec![0.0; layers.len()];
    for sweep in 0..SWEEPS {
        for column in &columns {
            column.iter().enumerate().for_each(|(at, &node)| rank[node] = at as f64 - column.len() as f64 / 2.0);
        }
        let forward = sweep % 2 == 0;
        for column in &mut columns {
            let mean = |node: usize| {
                let ends = picture.edges.iter().filter(|e| if forward { e.to } else { e.from } == node);
                let ranks: Vec<f64> = ends.map(|e| rank[if forward { e.from } else { e.to }]).collect();
                if ranks.is_empty() { rank[node] } else { ranks.iter().sum::<f64>() / ranks.len() as f64 }
            };
            let mut keyed: Vec<(f64, usize)> = column.iter().map(|&node| (mean(node), node)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            *column = keyed.into_iter().map(|(_, node)| node).collect();
        }
    }
    columns
}

fn path(from: &Place, to: &Place) -> String {
    let (x1, y1) = (from.x + from.width, from.y + HEIGHT / 2.0);
    let (x2, y2) = (to.x, to.y + HEIGHT / 2.0);
    if from.x == to.x {
        // Within a column, or to itself: around the right side.
        let (x2, bend) = (to.x + to.width, x1.max(to.x + to.width) + 34.0);
        let (y1, y2) = if y1 == y2 { (y1 - 8.0, y2 + 8.0) } else { (y1, y2) };
        return format!("M{x1:.1} {y1:.1} C{bend:.1} {y1:.1} {bend:.1} {y2:.1} {x2:.1} {y2:.1}");
    }
    let bend = (x2 - x1) / 2.0;
    format!("M{x1:.1} {y1:.1} C{:.1} {y1:.1} {:.1} {y2:.1} {x2:.1} {y2:.1}", x1 + bend, x2 - bend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::picture::{Edge, Node};

    fn picture(nodes: usize, edges: &[(usize, usize)]) -> Picture {
        let node = |number| Node {
            name: format!("f{number}"),
            unit: String::from("a.c"),
            part: Part::Replaced,
            recursion: None,
            address_taken_by: Vec::new(),
        };
        let edge = |&(from, to): &(usize, usize)| Edge { from, to, kind: EdgeKind::Direct };
        Picture { nodes: (0..nodes).map(node).collect(), edges: edges.iter().map(edge).collect(), more_callers: 0 }
    }

    #[test]
    fn callers_stand_left_of_what_they_call_and_circles_in_one_column() {
        let drawing = draw(&picture(5, &[(0, 1), (1, 2), (2, 1), (2, 3), (0, 3), (4, 4)]));
        let x = |n: usize| drawing.places[n].x;
        assert!(x(0) < x(1) && x(1) == x(2) && x(2) < x(3) && x(4) == x(0));
        assert_eq!(drawing.arrows.len(), 6);
    }

    #[test]
    fn no_two_boxes_overlap_and_all_are_inside() {
        let edges: Vec<_> = (1..9).map(|n| (n % 3, n)).collect();
        let drawing = draw(&picture(9, &edges));
        for (number, a) in drawing.places.iter().enumerate() {
            assert!(a.x >= 0.0 && a.y >= 0.0 && a.x + a.width <= drawing.width && a.y + a.height <= drawing.height);
            let apart = |b: &Place| a.x + a.width <= b.x || b.x + b.width <= a.x || (a.y - b.y).abs() >= HEIGHT;
            assert!(drawing.places[number + 1..].iter().all(apart));
        }
        assert!(draw(&picture(0, &[])).places.is_empty());
    }
}
