//! Addresses, names, downloads, reachability.

use super::{Draft, path, quote};
use crate::Request;
use crate::words::Words;

pub(super) fn find(words: &mut Words, request: &Request) -> Option<Draft> {
    let bsd = request.os.is_bsd();
    let verb = |words: &mut Words| {
        words.eat("show|list|display|see|print|get|view|check|find|what|which|tell")
    };
    if words.eat_any(&[
        "public|external ip|ipv4 address?",
        "ip address? from outside",
    ]) {
        verb(words);
        return Some(
            Draft::new(
                "curl -s https://ifconfig.me",
                "Asks a public service for your address",
            )
            .sure(880),
        );
    }
    if words.eat_any(&["my|local|private|internal|own|machine|computer ip|ipv4 address|addresses? of? this|my? machine|computer?", "ip address|addresses of this|my machine|computer|host"]) || (words.mentions("my|what|show") && words.eat("ip address?")) {
        verb(words);
        return Some(Draft::new(if bsd { "ipconfig getifaddr en0" } else { "hostname -I" }, "Prints this machine's addresses"));
    }
    if words.eat_any(&["network interfaces|adapters|cards", "interfaces"]) {
        verb(words);
        return Some(Draft::new(
            if bsd { "ifconfig" } else { "ip addr" },
            "Lists the network interfaces with their addresses",
        ));
    }
    if words.eat_any(&["routing table", "default gateway|route", "routes"]) {
        verb(words);
        return Some(Draft::new(
            if bsd { "netstat -rn" } else { "ip route" },
            "Prints the routes",
        ));
    }
    if let Some(found) = words.take("ping {host} {num} times|packets|time") {
        let [host, number] = found.as_slice() else {
            return None;
        };
        return Some(Draft::new(
            format!("ping -c {number} {}", quote(host)),
            format!("Sends {number} pings to {host}"),
        ));
    }
    if let Some(host) = words.slot(&[
        "ping|reach host|server? {host}",
        "is|check|if if? host|server? {host} up|reachable|alive|online|down",
        "check|test connection|connectivity to {host}",
    ]) {
        words.eat("is|up|reachable|alive|online");
        return Some(Draft::new(
            format!("ping -c 4 {}", quote(&host)),
            format!("Sends four pings to {host}"),
        ));
    }
    if let Some(found) = words.take("port {port} is? open? on host|server? {host}") {
        verb(words);
        words.eat("is|if|test|whether");
        words.eat("open|reachable");
        let [port, host] = found.as_slice() else {
            return None;
        };
        return Some(Draft::new(
            format!("nc -zv {} {port}", quote(host)),
            format!("Tries to reach port {port} of {host}"),
        ));
    }
    if let Some(found) =
        words.take("download|fetch|save|get file|page|url|from? {url} to|as|into|in {path}")
    {
        let [url, file] = found.as_slice() else {
            return None;
        };
        return Some(Draft::new(
            format!("curl -fL -o {} {}", path(file), quote(url)),
            format!("Downloads to {file}"),
        ));
    }
    if let Some(url) = words.slot(&[
        "http? headers|header of|for|from {url}",
        "response headers of|for|from {url}",
    ]) {
        verb(words);
        return Some(Draft::new(
            format!("curl -sI {}", quote(&url)),
            "Prints the response's headers",
        ));
    }
    if let Some(url) = words.slot(&[
        "status code|http of|for|from {url}",
        "http status code? of|for|from {url}",
    ]) {
        verb(words);
        words.eat("http");
        return Some(Draft::new(
            format!(
                "curl -s -o /dev/null -w '%{{http_code}}\\n' {}",
                quote(&url)
            ),
            "Prints the response's status",
        ));
    }
    if let Some(url) = words.slot(&["download|fetch|wget|save file|page|url? from? {url}"]) {
        words.eat("here");
        return Some(Draft::new(
            format!("curl -fLO {}", quote(&url)),
            "Downloads into this folder",
        ));
    }
    if let Some(host) = words.slot(&[
        "dns lookup|records|record|resolve of|for? {host}",
        "lookup|resolve|look dns|up? of|for|host|domain|ip? {host}",
        "ip address? of|for {host}",
        "nslookup|dig {host}",
    ]) {
        verb(words);
        let host = quote(&host);
        return Some(if request.may_have("dig") {
            Draft::new(format!("dig +short {host}"), format!("Resolves {host}"))
        } else {
            Draft::new(format!("nslookup {host}"), format!("Resolves {host}"))
        });
    }
    let host = words.slot(&[
        "trace route|path to {host}",
        "traceroute to? {host}",
        "route to {host}",
    ])?;
    verb(words);
    Some(Draft::new(
        format!("traceroute {}", quote(&host)),
        format!("Lists the hops to {host}"),
    ))
}
