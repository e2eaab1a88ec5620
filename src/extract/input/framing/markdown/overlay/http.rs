//! Requests and responses of HTTP: the first line, the headers and the body.

use super::Overlay;
use super::body;
use super::body::AppliedBody;
use super::members::{OverlayMembers, quoted};
use super::section::{NumberedLine, Section, SectionName};

/// The header that sections leave out.
const LENGTH: &str = "Content-Length";

impl Overlay<'_> {
    /// Applies a request or a response to the base's.
    pub(super) fn lay_message(&mut self, section: &Section<'_>) {
        let parts = section.parts();
        if let Some((line, _)) = parts.astray.first() {
            self.remark_on(
                section,
                *line,
                "this belongs neither to its head nor to its body",
            );
        }
        if parts.head.is_empty() && parts.body.as_deref().unwrap_or_default().trim().is_empty() {
            return;
        }
        if !self.is_http() {
            let protocol = self.base.text("l7protocol").unwrap_or_default();
            let what = format!(
                "kreplay reads this section for HTTP only, but this is `{protocol}`: it keeps the \
                         `json: ` line"
            );
            return self.remark_on(section, section.line, &what);
        }
        let mut http = self.base.object("http");
        let member = match section.name {
            SectionName::Request => "req",
            _ => "res",
        };
        let mut message = http.object(member);
        let headers = match section.name {
            SectionName::Request => self.lay_request_line(section, &parts.head, &mut message),
            _ => self.lay_status_line(&parts.head, &mut message),
        };
        let mut laid = match parts.head.is_empty() {
            // A body alone says nothing about headers.
            true => OverlayHeaders(None, message.object("headers")),
            false => self.lay_headers(section, headers, &message),
        };
        if section.name == SectionName::Response && message.raw("contentType").is_none() {
            let kind = laid.first("Content-Type");
            kind.inspect(|kind| message.set_text("contentType", kind));
        }
        if let Some(shown) = &parts.body {
            match body::lay(&mut message, shown) {
                AppliedBody::Same => {}
                AppliedBody::Replaced(length) => laid.set_length(length),
                AppliedBody::NotJson => {
                    let what = "its body is not JSON, but the body in the `json: ` line is, so kreplay keeps that one";
                    self.remark_on(section, section.line, what);
                }
            }
        }
        if let Some(headers) = laid.0 {
            message.set("headers", headers.write());
        }
        http.set_object(member, &message);
        self.base.set_object("http", &http);
    }

    fn is_http(&self) -> bool {
        let protocol = self.base.text("l7protocol");
        let is_called_http = || protocol.is_none_or(|name| name.to_lowercase().starts_with("http"));
        self.base.raw("http").is_some() || is_called_http()
    }

    /// Takes the first line of a request; the others are headers.
    fn lay_request_line<'h, 't>(
        &mut self,
        section: &Section<'_>,
        head: &'h [NumberedLine<'t>],
        request: &mut OverlayMembers<'_>,
    ) -> &'h [NumberedLine<'t>] {
        let Some(((line, text), headers)) = head.split_first() else {
            return head;
        };
        let mut words = text.split_ascii_whitespace();
        let (Some(method), Some(url), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            let what = "expected `METHOD URL HTTP/VERSION`";
            self.remark_on(section, *line, what);
            return headers;
        };
        let Some(version) = version.strip_prefix("HTTP/") else {
            self.remark_on(section, *line, "expected `HTTP/VERSION` after the URL");
            return headers;
        };
        self.follow("command", request.text("method").as_deref(), method);
        request.set_text("method", method);
        request.set_text("version", version);
        self.lay_url(url, request);
        headers
    }

    fn lay_url(&mut self, url: &str, request: &mut OverlayMembers<'_>) {
        let (authority, uri) = match url.split_once("://") {
            Some((_, rest)) => rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())),
            None => ("", url),
        };
        let uri = match uri.starts_with('/') {
            true => uri.to_owned(),
            false => format!("/{uri}"),
        };
        let known = request.text("uri").or_else(|| request.text("url"));
        if known.as_deref().unwrap_or("/") != uri {
            let (path, query) = uri.split_once('?').unwrap_or((&uri, ""));
            self.follow("location", request.text("url").as_deref(), path);
            request.set_text("url", path);
            request.set_text("uri", &uri);
            match query {
                "" => request.remove("queryParams"),
                query => request.set("queryParams", query_params(query)),
            }
        }
        let name = authority
            .rsplit_once(':')
            .map_or(authority, |(name, _)| name);
        // The base names the host as the client did; the section shows the address that was dialled.
        let is_known = match request.text("host") {
            Some(host) => {
                let known = host.rsplit_once(':').map_or(&*host, |(name, _)| name);
                let dialled = self.base.text("network_address");
                known == name || host == authority || dialled.as_deref() == Some(authority)
            }
            None => false,
        };
        if !authority.is_empty() && !is_known {
            request.set_text("host", authority);
        }
    }

    /// Takes the first line of a response, which older files do not have; the others are headers.
    fn lay_status_line<'h, 't>(
        &mut self,
        head: &'h [NumberedLine<'t>],
        response: &mut OverlayMembers<'_>,
    ) -> &'h [NumberedLine<'t>] {
        let Some(((_, first), headers)) = head.split_first() else {
            return head;
        };
        let Some((_, status)) = first
            .strip_prefix("HTTP/")
            .and_then(|rest| rest.split_once(' '))
        else {
            return head;
        };
        let status = status.trim();
        let code = status.split(' ').next().unwrap_or_default();
        if let Ok(number) = code.parse::<u16>()
            && response.raw("statusCode") != Some(code)
        {
            let known = response.raw("statusCode").map(str::to_owned);
            self.follow("status", known.as_deref(), code);
            response.set("statusCode", number.to_string());
            response.set_text("statusMessage", status);
        }
        headers
    }

    /// The RRPair's own member for the same thing changes as well, unless it had another value.
    fn follow(&mut self, member: &str, known: Option<&str>, now: &str) {
        let said = self.base.text(member);
        if known != Some(now) && (said.is_none() || said.as_deref() == known) {
            self.base.set_text(member, now);
        }
    }

    fn lay_headers(
        &mut self,
        section: &Section<'_>,
        lines: &[NumberedLine<'_>],
        message: &OverlayMembers<'_>,
    ) -> OverlayHeaders {
        let known = message.object("headers");
        let mut headers = OverlayMembers::default();
        for (line, text) in lines {
            let Some((name, shown)) = text.split_once(':').filter(|(name, _)| is_token(name))
            else {
                self.remark_on(section, *line, "expected a header, as in `Name: value`");
                continue;
            };
            let shown = shown.trim();
            let raw = known.raw(name).filter(|raw| is_shown_as(raw, shown));
            headers.set(
                name,
                raw.map_or_else(|| list(&values(shown)), str::to_owned),
            );
        }
        if let Some(length) = known.raw(LENGTH) {
            headers.set(LENGTH, length.to_owned());
        }
        let same = |members: &OverlayMembers<'_>| {
            serde_json::from_str::<serde_json::Value>(&members.write()).ok()
        };
        OverlayHeaders((same(&known) != same(&headers)).then_some(headers), known)
    }
}

/// The headers of a message, and those that replace the base's if they differ.
struct OverlayHeaders(Option<OverlayMembers<'static>>, OverlayMembers<'static>);

impl OverlayHeaders {
    fn first(&self, name: &str) -> Option<String> {
        let headers = self.0.as_ref().unwrap_or(&self.1);
        let values: Vec<String> = serde_json::from_str(headers.raw(name)?).ok()?;
        values.into_iter().next()
    }

    /// The length of the new body; a message that states none still states none.
    fn set_length(&mut self, length: usize) {
        if self.1.raw(LENGTH).is_some() {
            let headers = self.0.get_or_insert_with(|| std::mem::take(&mut self.1));
            headers.set(LENGTH, list(&[length.to_string()]));
        }
    }
}

/// Whether `name` may be a header's (RFC 9110, section 5.6.2), or a pseudo-header's.
fn is_token(name: &str) -> bool {
    let is_of_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:".contains(&b);
    !name.is_empty() && name.bytes().all(is_of_token)
}

/// Whether a section shows the values `raw` as `shown`, with escapes or, in older files, without.
fn is_shown_as(raw: &str, shown: &str) -> bool {
    let Ok(known) = serde_json::from_str::<Vec<String>>(raw) else {
        return false;
    };
    known == values(shown) || known.join(", ").trim() == shown
}

/// The values of a header: joined by a comma and a blank; commas and backslashes within them come after a
/// backslash.
fn values(shown: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut rest = shown;
    while let Some(c) = rest.chars().next() {
        let escaped = rest
            .strip_prefix('\\')
            .and_then(|behind| behind.chars().next());
        let last = all.len() - 1;
        if let Some(plain @ (',' | '\\')) = escaped {
            all[last].push(plain);
            rest = &rest[2..];
        } else if let Some(behind) = rest.strip_prefix(", ") {
            all.push(String::new());
            rest = behind;
        } else {
            all[last].push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    all
}

fn list(values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    format!("[{}]", values.join(","))
}

/// The parameters of a query as the base holds them: the values of each name.
fn query_params(query: &str) -> String {
    let mut names: Vec<(String, Vec<String>)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name), decoded(value));
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => names.push((name, vec![value])),
        }
    }
    let mut members = OverlayMembers::default();
    for (name, values) in &names {
        members.set(name, list(values));
    }
    members.write()
}

/// Percent-encoding and `+` undone (WHATWG URL, application/x-www-form-urlencoded).
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let hex = behind
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok());
        match (first, hex.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = behind;
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
