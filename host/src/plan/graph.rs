//! Draws what depends on what. Pure: returns text.

use std::collections::HashSet;
use std::fmt::Write;

use super::Plan;
use crate::model::{Chains, Migration, Role};

/// How a graph is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum GraphFormat {
    /// Mermaid, which many pages draw by themselves.
    Mermaid,
    /// DOT, for Graphviz.
    Dot,
}

/// Draws the migrations of the active chains that run once, and those they depend on; what the plan would do is marked.
///
/// An arrow leads to what can only be done afterwards: dashed from one version to the next, solid where the migration
/// says so.
pub fn graph(chains: &Chains, plan: &Plan, format: GraphFormat) -> String {
    let nodes = chains.nodes();
    let mut shown: Vec<bool> = nodes.iter().map(|node| chains.is_active(node.chain)).collect();
    for node in nodes.iter().filter(|node| chains.is_active(node.chain)) {
        for need in &node.needs {
            shown[*need] = true;
        }
    }
    let mut solid = Vec::new();
    let mut dashed = Vec::new();
    let mut last = vec![None; chains.all().len()];
    for (place, node) in nodes.iter().enumerate().filter(|(place, _)| shown[*place]) {
        solid.extend(node.needs.iter().map(|need| (*need, place)));
        if node.migration.role() == Role::Versioned
            && let Some(before) = last[node.chain].replace(place)
            && !node.needs.contains(&before)
        {
            dashed.push((before, place));
        }
    }
    let of = |chain: &str, migration: &Migration| (chain.to_owned(), migration.role(), migration.version);
    let steps: HashSet<_> = plan.steps.iter().map(|step| of(&step.chain, &step.migration)).collect();
    let planned = |place: usize| {
        let node = &nodes[place];
        steps.contains(&of(chains.all()[node.chain].name(), &node.migration))
    };
    let mut drawing = Drawing { format, text: String::new() };
    drawing.begin();
    for (index, chain) in chains.all().iter().enumerate() {
        let own: Vec<usize> = (0..nodes.len()).filter(|place| shown[*place] && nodes[*place].chain == index).collect();
        if own.is_empty() {
            continue;
        }
        drawing.group(index, chain.name(), |drawing| {
            for place in own {
                drawing.node(place, &nodes[place].migration.title(), planned(place));
            }
        });
    }
    for (from, to) in dashed {
        drawing.edge(from, to, true);
    }
    for (from, to) in solid {
        drawing.edge(from, to, false);
    }
    drawing.end();
    drawing.text
}

struct Drawing {
    format: GraphFormat,
    text: String,
}

impl Drawing {
    fn line(&mut self, line: &str) {
        writeln!(self.text, "{line}").expect("writing to a string cannot fail");
    }

    fn begin(&mut self) {
        match self.format {
            GraphFormat::Mermaid => self.line("flowchart TD"),
            GraphFormat::Dot => {
                self.line("digraph migrations {");
                self.line("  node [shape=box];");
            }
        }
    }

    fn group(&mut self, index: usize, name: &str, inside: impl FnOnce(&mut Self)) {
        match self.format {
            GraphFormat::Mermaid => self.line(&format!("  subgraph c{index}[\"{}\"]", quoted(name))),
            GraphFormat::Dot => {
                self.line(&format!("  subgraph cluster_{index} {{"));
                self.line(&format!("    label=\"{}\";", quoted(name)));
            }
        }
        inside(self);
        match self.format {
            GraphFormat::Mermaid => self.line("  end"),
            GraphFormat::Dot => self.line("  }"),
        }
    }

    fn node(&mut self, place: usize, title: &str, planned: bool) {
        let title = quoted(title);
        match (self.format, planned) {
            (GraphFormat::Mermaid, false) => self.line(&format!("    m{place}[\"{title}\"]")),
            (GraphFormat::Mermaid, true) => self.line(&format!("    m{place}([\"{title}\"]):::planned")),
            (GraphFormat::Dot, false) => self.line(&format!("    m{place} [label=\"{title}\"];")),
            (GraphFormat::Dot, true) => self.line(&format!("    m{place} [label=\"{title}\", style=bold];")),
        }
    }

    fn edge(&mut self, from: usize, to: usize, dashed: bool) {
        match (self.format, dashed) {
            (GraphFormat::Mermaid, true) => self.line(&format!("  m{from} -.-> m{to}")),
            (GraphFormat::Mermaid, false) => self.line(&format!("  m{from} --> m{to}")),
            (GraphFormat::Dot, true) => self.line(&format!("  m{from} -> m{to} [style=dashed];")),
            (GraphFormat::Dot, false) => self.line(&format!("  m{from} -> m{to};")),
        }
    }

    fn end(&mut self) {
        match self.format {
            GraphFormat::Mermaid => self.line("  classDef planned stroke-width:3px"),
            GraphFormat::Dot => self.line("}"),
        }
    }
}

/// Leaves out what would end a label, or be more than text in it.
fn quoted(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '"' | '\\' | '<' | '>' | '`') { '_' } else { c }).collect()
}
