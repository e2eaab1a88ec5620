//! A profile's paths as a tree of nodes, so that one pass over a line follows all of them at once
//! and skips everything else without building it.

use super::path::Step;
use super::profile::{Field, Scope};

/// A node of the tree.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Members that matter, by name; the rest of the object is skipped.
    members: Vec<(String, Member)>,
    /// Elements of an array, all alike.
    elements: Option<usize>,
    pub(super) field: Option<FieldAt>,
    pub(super) scope: Option<Scope>,
}

/// A field with its place among the spellings of the same thing: the smaller rank wins.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldAt {
    pub(super) field: Field,
    pub(super) rank: u8,
}

/// What a member of an object is to the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    Node(usize),
    /// Known, and of no interest.
    Ignored,
    /// In no path.
    Unknown,
}

/// The tree; node 0 is the whole line.
#[derive(Debug)]
pub(super) struct Plan(Vec<Node>);

impl Plan {
    pub(super) fn new() -> Self {
        Self(vec![Node::default()])
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn root(&self) -> &Node {
        &self.0[0]
    }

    /// What the member `name` of an object at `node` is.
    pub(super) fn member(&self, node: &Node, name: &str) -> Member {
        let found = node.members.iter().find(|(known, _)| known == name);
        found.map_or(Member::Unknown, |(_, member)| *member)
    }

    pub(super) fn node(&self, index: usize) -> &Node {
        &self.0[index]
    }

    /// What the elements of an array at `node` are.
    pub(super) fn elements(&self, node: &Node) -> Option<&Node> {
        node.elements.map(|index| &self.0[index])
    }

    /// The node at `steps` holds `field`; of several nodes for a field the one added first wins.
    pub(super) fn add_field(&mut self, steps: &[Step], field: Field) {
        let parent = self.reach(&steps[..steps.len().saturating_sub(1)]);
        let same = |node: &&Node| node.field.is_some_and(|at| same_thing(at.field, field));
        let siblings = self.0[parent]
            .members
            .iter()
            .filter_map(|(_, member)| match member {
                Member::Node(index) => Some(&self.0[*index]),
                Member::Ignored | Member::Unknown => None,
            });
        let rank = u8::try_from(siblings.filter(same).count()).unwrap_or(u8::MAX);
        let node = self.reach(steps);
        self.0[node].field = Some(FieldAt { field, rank });
    }

    pub(super) fn set_scope(&mut self, steps: &[Step], scope: Scope) {
        let node = self.reach(steps);
        self.0[node].scope = Some(scope);
    }

    /// The member at `steps` is known and says nothing.
    pub(super) fn ignore(&mut self, steps: &[Step]) {
        if let Some((Step::Name(name), parents)) = steps.split_last() {
            let parent = self.reach(parents);
            self.0[parent].members.push((name.clone(), Member::Ignored));
        }
    }

    /// The node at `steps`, made where it does not exist.
    fn reach(&mut self, steps: &[Step]) -> usize {
        steps.iter().fold(0, |node, step| self.child(node, step))
    }

    fn child(&mut self, parent: usize, step: &Step) -> usize {
        let next = self.0.len();
        let node = &mut self.0[parent];
        let child = match step {
            Step::Name(name) => match node.members.iter().find(|(known, _)| known == name) {
                Some((_, Member::Node(index))) => *index,
                _ => {
                    node.members.push((name.clone(), Member::Node(next)));
                    next
                }
            },
            // No built-in path has an index: they come with paths of the user's own.
            Step::Each | Step::Index(_) => *node.elements.get_or_insert(next),
        };
        if child == next {
            self.0.push(Node::default());
        }
        child
    }
}

/// Whether two fields are spellings of one thing, of which a record has one.
fn same_thing(a: Field, b: Field) -> bool {
    std::mem::discriminant(&a) == std::mem::discriminant(&b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::path::Path;
    use crate::extract::profile::Encoding;

    fn steps(path: &str) -> Vec<Step> {
        Path::parse(path).expect(path).steps().to_vec()
    }

    #[test]
    fn paths_share_their_common_beginning_and_spellings_are_ranked() {
        let mut plan = Plan::new();
        plan.add_field(&steps("$.a[*].x"), Field::Value(Encoding::Text));
        plan.add_field(&steps("$.a[*].y"), Field::Value(Encoding::Base64));
        plan.ignore(&steps("$.a[*].z"));
        assert_eq!(plan.len(), 5);
        let Member::Node(a) = plan.member(plan.root(), "a") else {
            panic!("`a` is in the plan")
        };
        let element = plan.elements(plan.node(a)).expect("`a` has elements");
        let Member::Node(y) = plan.member(element, "y") else {
            panic!("`y` is in the plan")
        };
        assert_eq!(plan.node(y).field.map(|at| at.rank), Some(1));
        assert_eq!(plan.member(element, "z"), Member::Ignored);
        assert_eq!(plan.member(element, "other"), Member::Unknown);
    }
}
