//! Rows as Python sees them: dicts, or tuples.

use monty_types::unstable::{self, MontyGraph, MontyNode, NodeId};
use monty_types::{ExcType, MontyException, MontyObject, ObjectRef};
use whimbrel_packed::CheckedBatch;

use crate::failure::raise;
use crate::values::from_cell;

/// How a row is shown.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    Dict,
    Tuple,
}

impl Shape {
    /// Reads what a script asks for.
    pub(crate) fn read(value: Option<ObjectRef<'_>>) -> Result<Self, MontyException> {
        match value.map(|value| value.as_str()) {
            None | Some(Some("dict")) => Ok(Self::Dict),
            Some(Some("tuple")) => Ok(Self::Tuple),
            Some(_) => Err(raise(ExcType::ValueError, "rows is \"dict\" or \"tuple\"")),
        }
    }
}

/// Rows on their way to a script. The names of the columns are there once, for all of them.
pub(crate) struct Rows {
    graph: MontyGraph,
    names: Vec<NodeId>,
    rows: Vec<NodeId>,
    shape: Shape,
}

impl Rows {
    /// Has no rows yet.
    pub(crate) fn new(names: &[String], shape: Shape) -> Self {
        let mut graph = MontyGraph::new();
        let names = match shape {
            Shape::Dict => names.iter().map(|name| graph.push(MontyNode::String(name.clone()))).collect(),
            Shape::Tuple => Vec::new(),
        };
        Self { graph, names, rows: Vec::new(), shape }
    }

    /// Tells how many there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds the rows of a batch.
    pub(crate) fn extend(&mut self, batch: &CheckedBatch) {
        let columns = batch.columns().len();
        for row in 0..batch.rows() {
            let graph = &mut self.graph;
            let row = match self.shape {
                Shape::Dict => {
                    let names = self.names.iter().enumerate();
                    let pairs = names.map(|(column, name)| (*name, graph.push(from_cell(batch.cell(row, column)))));
                    MontyNode::Dict(pairs.collect())
                }
                Shape::Tuple => {
                    let cells = (0..columns).map(|column| graph.push(from_cell(batch.cell(row, column))));
                    MontyNode::Tuple(cells.collect())
                }
            };
            self.rows.push(self.graph.push(row));
        }
    }

    /// Makes a list of them.
    pub(crate) fn list(mut self) -> MontyObject {
        let root = self.graph.push(MontyNode::List(self.rows));
        unstable::object_from_graph(self.graph, root).expect("the root was pushed just now")
    }

    /// Makes a value of the first, or `None`.
    pub(crate) fn first(self) -> MontyObject {
        match self.rows.first() {
            Some(first) => unstable::object_from_graph(self.graph, *first).expect("the row was pushed into this graph"),
            None => MontyObject::none(),
        }
    }
}
