//! The kinds of query that the RFC's compliance suite asks about, with nodes counted by hand.

use serde_json::json;

use crate::extract::profile::path::{Path, jsonpath_text};

/// The nodes that `path` selects in `document`, as paths.
fn selected(path: &str, document: &serde_json::Value) -> Vec<String> {
    let nodes = Path::parse(path).expect(path).nodes(document);
    let nodes = nodes.expect("there are few");
    nodes.iter().map(|steps| jsonpath_text(steps)).collect()
}

#[test]
fn a_node_is_selected_as_often_as_selectors_name_it_and_in_their_order() {
    let list = json!([0, 1, 2]);
    let object = json!({"a": 1, "b": 2});
    for (path, document, expected) in [
        ("$[0,0]", &list, &["$[0]", "$[0]"][..]),
        ("$[1,0]", &list, &["$[1]", "$[0]"]),
        ("$[*,1]", &list, &["$[0]", "$[1]", "$[2]", "$[1]"]),
        ("$[0:2,0]", &list, &["$[0]", "$[1]", "$[0]"]),
        ("$[0:2,1:3]", &list, &["$[0]", "$[1]", "$[1]", "$[2]"]),
        ("$[?@>0,?@<2]", &list, &["$[1]", "$[2]", "$[0]", "$[1]"]),
        ("$[-1,2]", &list, &["$[2]", "$[2]"]),
        ("$['a','a']", &object, &["$.a", "$.a"]),
        ("$[*,*]", &object, &["$.a", "$.b", "$.a", "$.b"]),
        ("$['b','a','x']", &object, &["$.b", "$.a"]),
    ] {
        assert_eq!(selected(path, document), expected, "{path}");
    }
}

#[test]
fn descendants_are_selected_node_by_node() {
    let document = json!([[[0, 1]], [2, [3]]]);
    // RFC 9535, 2.5.2.2: of each node in turn, all selectors.
    assert_eq!(
        selected("$..[1,0]", &document),
        [
            "$[1]",
            "$[0]",
            "$[0][0]",
            "$[0][0][1]",
            "$[0][0][0]",
            "$[1][1]",
            "$[1][0]",
            "$[1][1][0]"
        ]
    );
    let nested = json!({"a": {"a": {"b": 1}}});
    assert_eq!(selected("$..a", &nested), ["$.a", "$.a.a"]);
    assert_eq!(selected("$..*", &nested), ["$.a", "$.a.a", "$.a.a.b"]);
}

#[test]
fn slices_count_from_either_end() {
    let list = json!([0, 1, 2, 3, 4]);
    let indexes = |path: &str| {
        selected(path, &list)
            .join("")
            .replace("$[", "")
            .replace(']', "")
    };
    for (path, expected) in [
        ("$[1:3]", "12"),
        ("$[::-1]", "43210"),
        ("$[3:0:-2]", "31"),
        ("$[:1:-1]", "432"),
        ("$[-2:]", "34"),
        ("$[-1:-4:-1]", "432"),
        ("$[10:0:-3]", "41"),
        ("$[0:-10:-1]", "0"),
        ("$[::0]", ""),
        ("$[-10:10:2]", "024"),
        ("$[9007199254740991:0:-9007199254740991]", "4"),
        ("$[5:]", ""),
        ("$[0:0:-1]", ""),
    ] {
        assert_eq!(indexes(path), expected, "{path}");
    }
    assert!(selected("$[::-1]", &json!([])).is_empty());
}

#[test]
fn filters_compare_as_the_rfc_says() {
    let nested = json!([[0], [0, 1], [1, 2], 3, [42]]);
    assert_eq!(selected("$[?@[?@>1]]", &nested), ["$[2]", "$[4]"]);
    let document = json!([
        {"a": 1}, {"a": 1.0}, {"a": "1"}, {"b": [1, {"c": 2}]}, {"b": [1.0, {"c": 2}]}, {"a": null}
    ]);
    for (path, expected) in [
        ("$[?@.a==1]", &["$[0]", "$[1]"][..]),
        ("$[?@.a!=1]", &["$[2]", "$[3]", "$[4]", "$[5]"]),
        // Two nodes that do not exist are equal.
        ("$[?@.x==@.y && @.b]", &["$[3]", "$[4]"]),
        ("$[?@.b==$[3].b]", &["$[3]", "$[4]"]),
        ("$[?@.a<=null]", &["$[5]"]),
        ("$[?!@.a]", &["$[3]", "$[4]"]),
        ("$[?@.a<'2']", &["$[2]"]),
        ("$[?length(@.b)==2]", &["$[3]", "$[4]"]),
        ("$[?count(@..*)==4]", &["$[3]", "$[4]"]),
        ("$[?count(@.x)==0 && @.a==null]", &["$[5]"]),
        ("$[?value(@..c)==2]", &["$[3]", "$[4]"]),
        ("$[?match(@.a,'1')]", &["$[2]"]),
        ("$[?(@.a==1 || @.a=='1') && !(@.a=='1')]", &["$[0]", "$[1]"]),
    ] {
        assert_eq!(selected(path, &document), expected, "{path}");
    }
    let texts = json!(["ab", "xabx", "a\rb", "a.b"]);
    assert_eq!(selected("$[?match(@,'a.?b')]", &texts), ["$[0]", "$[3]"]);
    assert_eq!(
        selected("$[?search(@,'a[.]?b')]", &texts),
        ["$[0]", "$[1]", "$[3]"]
    );
}

#[test]
fn functions_that_are_not_well_typed_are_refused() {
    for (path, at) in [
        // 0 means that the parser itself refuses it, and points elsewhere.
        ("$[?count(@..*)]", 3),
        ("$[?length(@.a)]", 3),
        ("$[?length(@.*)<3]", 3),
        ("$[?length(@[1, 2])<3]", 3),
        ("$[?length(@['a', 'b'])<3]", 3),
        ("$[?value(@.a)]", 3),
        ("$.a[?@.b && (!count(@.*))]", 14),
        ("$[?@[?length(@..a)==1]]", 6),
        ("$[?match(@.*,'a')]", 3),
        ("$[?match(@.a,'a')==true]", 0),
        ("$[?count(1)>2]", 0),
        ("$[?none_of(@.a,[1])]", 0),
    ] {
        let error = Path::parse(path).expect_err(path).to_string();
        let pointer = error.lines().last().map(|line| line.trim_end().len() - 5);
        assert!(at == 0 || pointer == Some(at), "{path}: {error}");
    }
    for path in [
        "$[?count(@..*)>1]",
        "$[?length(value(@..a))<3]",
        "$[?length('ab')==2]",
    ] {
        assert!(Path::parse(path).is_ok(), "{path}");
    }
}

#[test]
fn quoted_names_are_taken_literally() {
    let document = json!({"'a'": 1, "a": 2, "\"": 3, "\\": 4, "\u{1f600}": 5});
    for (path, value) in [
        (r#"$["'a'"]"#, 1),
        ("$['a']", 2),
        (r#"$['"']"#, 3),
        (r"$['\\']", 4),
        (r"$['\ud83d\ude00']", 5),
    ] {
        let nodes = Path::parse(path).expect(path).nodes(&document);
        let nodes = nodes.expect("there are few");
        let [node] = &nodes[..] else {
            panic!("{path}: {nodes:?}")
        };
        let crate::extract::profile::path::PathStep::Name(name) = &node[0] else {
            panic!("{path}")
        };
        assert_eq!(document[name], value, "{path}");
    }
}
