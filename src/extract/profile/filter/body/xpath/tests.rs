use super::*;

const ORDER: &str = r#"<?xml version="1.0"?>
<o:orders xmlns:o="urn:o" xmlns="urn:d"><order id="1" o:state="new"><item>pen</item><item>ink</item></order>
<order id="2"><item>cap</item><note><![CDATA[a < b]]></note></order><total>3</total></o:orders>"#;

const SOAP: &str = r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><id>h</id></s:Header>
<s:Body><m:Buy xmlns:m="urn:m"><m:id>7</m:id></m:Buy></s:Body></s:Envelope>"#;

fn texts(path: &str, xml: &str, origin: PathOrigin) -> Vec<String> {
    let seen = std::cell::RefCell::new(Vec::new());
    let path = XPath::parse(path).expect(path);
    let met = path.any(xml, origin, &|text| {
        seen.borrow_mut().push(text.to_string());
        false
    });
    assert!(!met);
    let mut seen = seen.into_inner();
    // One empty text is what is read of nothing.
    seen.retain(|text| !text.is_empty());
    seen
}

/// The expected values are read off the documents above, as section 2 of XPath 1.0 says.
#[test]
fn a_path_selects_what_the_xpath_specification_says() {
    let table: [(&str, &[&str]); 27] = [
        ("/orders/order/item", &["pen", "ink", "cap"]),
        ("/o:orders/order[1]/item", &["pen", "ink"]),
        ("/x:orders/order/item", &[]),
        ("orders/order[2]/item", &["cap"]),
        ("order", &[]),
        ("//order/@id", &["1", "2"]),
        ("//@o:state", &["new"]),
        ("//@state", &["new"]),
        ("//o:*/total", &["3"]),
        ("//item[1]", &["pen", "cap"]),
        ("//order/item[last()]", &["ink", "cap"]),
        ("//item[position()=2]", &["ink"]),
        ("//order[@id='2']/item", &["cap"]),
        ("//order[@id=2]/item", &["cap"]),
        ("//order[@id!='2']/@id", &["1"]),
        ("//order[item='ink']/@id", &["1"]),
        ("//order[note]/@id", &["2"]),
        ("//order[not(note)]/@id", &["1"]),
        ("//note/text()", &["a < b"]),
        ("//*[local-name()='total']", &["3"]),
        ("//*[name()='o:orders']/total", &["3"]),
        (
            "//order[contains(item, 'e') and starts-with(@id,\"1\")]/@id",
            &["1"],
        ),
        ("//order[@id='1' or @id='2'][2]/@id", &["2"]),
        ("//item/../@id", &["1", "2"]),
        ("//total | //order[2]/item", &["3", "cap"]),
        ("/orders/order/./item[normalize-space(.) = 'cap']", &["cap"]),
        ("//order[string(item)='pen']/item[2]", &["ink"]),
    ];
    for (path, expected) in table {
        assert_eq!(texts(path, ORDER, PathOrigin::Document), expected, "{path}");
    }
}

#[test]
fn a_path_into_soap_starts_at_the_body() {
    for (path, expected) in [
        ("/Buy/id", &["7"][..]),
        ("Buy/m:id", &["7"]),
        ("//id", &["7", "h"]),
        ("/s:Envelope/s:Body/m:Buy/id", &["7"]),
        ("Header/id", &[]),
    ] {
        assert_eq!(texts(path, SOAP, PathOrigin::SoapBody), expected, "{path}");
    }
    assert_eq!(texts("Buy", "<Buy>x</Buy>", PathOrigin::SoapBody), [""; 0]);
}

#[test]
fn text_that_is_not_xml_matches_nothing() {
    for text in ["", "{}", "<a>", "<a/><b/>", "plain"] {
        assert_eq!(texts("//*", text, PathOrigin::Document), [""; 0], "{text}");
    }
    let deep = "<a>".repeat(20_000) + "x" + &"</a>".repeat(20_000);
    assert_eq!(texts("/a", &deep, PathOrigin::Document).len(), 1);
}

#[test]
fn unsupported_xpath_is_named_with_its_position() {
    for (path, at, what) in [
        ("", 0, "expected a path such as `//order/id`, found the end"),
        ("//a[", 4, "expected a value, found the end"),
        ("//a[1", 5, "expected `]`, found the end"),
        (
            "//a[b>1]",
            5,
            "kreplay does not evaluate `>` in a predicate",
        ),
        ("//a[count(b)=1]", 4, "kreplay does not evaluate `count()`"),
        (
            "//comment()",
            2,
            "kreplay does not evaluate `comment()` here",
        ),
        (
            "ancestor::a",
            0,
            "kreplay evaluates only the axes `/`, `//`, `@`, `.` and `..`",
        ),
        ("a b", 2, "expected `/`, `[`, `|` or the end, found `b`"),
        ("//a['x]", 4, "the quote is not closed"),
        (
            "//a[contains(b)]",
            4,
            "`contains()` takes a different number of arguments",
        ),
        ("a/", 2, "expected a name, found the end"),
    ] {
        let error = XPath::parse(path).expect_err(path);
        assert_eq!(error, (at, what.to_string()), "{path}");
    }
    let nested = "a[".repeat(40) + "b" + &"]".repeat(40);
    let (_, what) = XPath::parse(&nested).expect_err("too deep");
    assert_eq!(what, "more than 32 nested expressions");
}
