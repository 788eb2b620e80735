//! lighttpd and tinyproxy: how they are built, and the requests they answer.
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Running;
use super::make::build_in;
use crate::real::compiler::Flavor;
use crate::real::server::{Server, free_port};

/// Modules that are linked into lighttpd, so that a build is one file.
const MODULES: [&str; 6] = ["mod_indexfile", "mod_access", "mod_alias", "mod_ssi", "mod_webdav", "mod_staticfile"];

/// Builds lighttpd with its modules inside.
pub(super) fn make_lighttpd(tree: &Path) -> Result<PathBuf> {
    if !tree.join("made").exists() {
        let modules: String = MODULES.iter().map(|module| format!("PLUGIN_INIT({module})\n")).collect();
        fs::write(tree.join("src/plugin-static.h"), modules)?;
        let mut setup = Command::new("meson");
        setup.args(["setup", "made", "-Dbuild_static=true", "-Dbuildtype=plain", "-Dc_args=-O2"]);
        setup.args(["-Dwith_webdav_props=disabled", "-Dwith_zlib=disabled"]);
        build_in(tree, setup.env("CC", Flavor::Armed.compiler()?))?;
    }
    build_in(tree, Command::new("ninja").args(["-C", "made", "src/lighttpd"]))?;
    Ok(tree.join("made/src/lighttpd"))
}

/// Requests for files, for pages with server-side includes, some of which fail, and for WebDAV; the last ones undo
/// what the first ones did.
const LIGHTTPD: &[&str] = &[
    "GET / HTTP/1.0\r\n\r\n",
    "HEAD /text.txt HTTP/1.0\r\n\r\n",
    "GET /text.txt HTTP/1.0\r\nRange: bytes=2-5\r\n\r\n",
    "GET /nothing HTTP/1.0\r\n\r\n",
    "GET /../etc/passwd HTTP/1.0\r\n\r\n",
    "GET /page.shtml?a=b HTTP/1.0\r\nHost: here\r\n\r\n",
    "GET /exec.shtml HTTP/1.0\r\n\r\n",
    "OPTIONS /dav/ HTTP/1.0\r\n\r\n",
    "MKCOL /dav/new HTTP/1.0\r\n\r\n",
    "PUT /dav/new/file HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello",
    "PUT /dav/none/file HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello",
    "COPY /dav/new/file HTTP/1.0\r\nDestination: http://127.0.0.1/dav/new/copy\r\nHost: 127.0.0.1\r\n\r\n",
    "GET /dav/new/copy HTTP/1.0\r\n\r\n",
    "MOVE /dav/new/copy HTTP/1.0\r\nDestination: http://127.0.0.1/dav/new/moved\r\nHost: 127.0.0.1\r\n\r\n",
    "LOCK /dav/new/file HTTP/1.0\r\n\r\n",
    "DELETE /dav/new/copy HTTP/1.0\r\n\r\n",
    "DELETE /dav/new/ HTTP/1.0\r\n\r\n",
    "GET /dav/new/file HTTP/1.0\r\n\r\n",
    "BREW /pot HTTP/1.0\r\n\r\n",
    "nonsense\r\n\r\n",
];

/// Starts lighttpd with something to show.
pub(super) fn start_lighttpd(executable: &Path, folder: &Path) -> Result<Box<dyn Running>> {
    let root = folder.join("root");
    fs::create_dir_all(root.join("dav"))?;
    fs::write(root.join("index.html"), "<p>index\n")?;
    fs::write(root.join("text.txt"), "0123456789\n")?;
    let page = "<p><!--#echo var=\"DOCUMENT_NAME\" --> <!--#echo var=\"QUERY_STRING\" -->\n\
        <!--#set var=\"x\" value=\"y\" --><!--#if expr=\"$x = y\" -->yes<!--#else -->no<!--#endif -->\n\
        <!--#include file=\"text.txt\" --><!--#fsize file=\"text.txt\" --><!--#include file=\"none\" -->end\n";
    fs::write(root.join("page.shtml"), page)?;
    fs::write(
        root.join("exec.shtml"),
        "before <!--#exec cmd=\"echo out; exit 3\" --> after <!--#exec cmd=\"no-such\" -->\n",
    )?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let modules: Vec<String> = MODULES.iter().map(|module| format!("\"{module}\"")).collect();
    let config = format!(
        "server.modules = ({})\nserver.bind = \"127.0.0.1\"\nserver.port = {}\nserver.document-root = \"{}\"\n\
         index-file.names = (\"index.html\")\nssi.extension = (\".shtml\")\nserver.upload-dirs = (\"{}\")\n\
         mimetype.assign = (\".html\" => \"text/html\", \".txt\" => \"text/plain\")\n\
         $HTTP[\"url\"] =~ \"^/dav\" {{ webdav.activate = \"enable\" }}\n",
        modules.join(", "),
        address.port(),
        root.display(),
        folder.display(),
    );
    fs::write(folder.join("lighttpd.conf"), config)?;
    let mut command = Command::new(executable);
    command.args(["-D", "-f"]).arg(folder.join("lighttpd.conf"));
    start(&mut command, folder, address, LIGHTTPD.iter().map(ToString::to_string).collect())
}

/// Builds tinyproxy.
pub(super) fn make_tinyproxy(tree: &Path) -> Result<PathBuf> {
    if !tree.join("Makefile").exists() {
        let mut configure = Command::new("./configure");
        configure.arg("--disable-manpage_support").env("CC", Flavor::Armed.compiler()?);
        build_in(tree, &mut configure)?;
    }
    build_in(tree, Command::new("make").args(["-j2", "-C", "src"]))?;
    Ok(tree.join("src/tinyproxy"))
}

/// Starts tinyproxy, and a server behind it that gives back what it is asked.
pub(super) fn start_tinyproxy(executable: &Path, folder: &Path) -> Result<Box<dyn Running>> {
    let origin = origin()?;
    let requests = [
        format!("GET http://{origin}/page HTTP/1.0\r\n\r\n"),
        format!("GET http://{origin}/page HTTP/1.0\r\nConnection: x-mine\r\nX-Mine: 1\r\nX-Other: 2\r\n\r\n"),
        format!("POST http://{origin}/form HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello"),
        format!("CONNECT {origin} HTTP/1.0\r\n\r\nGET /tunnel HTTP/1.0\r\n\r\n"),
        "CONNECT 127.0.0.1:1 HTTP/1.0\r\n\r\n".to_owned(),
        "GET http://127.0.0.1:1/ HTTP/1.0\r\n\r\n".to_owned(),
        "GET ftp://127.0.0.1/ HTTP/1.0\r\n\r\n".to_owned(),
        "GET /page HTTP/1.0\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "fo\r\n\r\n".to_owned(),
    ];
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let config = format!(
        "Port {}\nListen 127.0.0.1\nTimeout 30\nLogLevel Critical\nMaxClients 20\nAllow 127.0.0.1\nDisableViaHeader Yes\n\
         DefaultErrorFile \"{}\"\n",
        address.port(),
        folder.join("error.html").display(),
    );
    fs::write(folder.join("error.html"), "{errno} {cause} {detail} {url} {request}\n")?;
    fs::write(folder.join("tinyproxy.conf"), config)?;
    let mut command = Command::new(executable);
    command.args(["-d", "-c"]).arg(folder.join("tinyproxy.conf"));
    // What nobody has written is the same each time; the first of its fixes is about that.
    command.env("MALLOC_PERTURB_", "165");
    start(&mut command, folder, address, requests.into())
}

/// The address of a server that answers each request with that request; one for all, so that replies are the same.
fn origin() -> Result<SocketAddr> {
    static ORIGIN: OnceLock<SocketAddr> = OnceLock::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    Ok(*ORIGIN.get_or_init(|| {
        std::thread::spawn(move || listener.incoming().flatten().for_each(echo));
        address
    }))
}

fn echo(mut socket: TcpStream) {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    while !is_whole(&request) {
        match socket.read(&mut buffer) {
            Ok(got) if got > 0 => request.extend_from_slice(&buffer[..got]),
            _ => return,
        }
    }
    // Whoever asked may be gone, which it then knows.
    let _ = socket.write_all(&[b"HTTP/1.0 200 OK\r\n\r\n", &*request].concat());
}

/// Whether a request has all of its body: a reply before that could overtake it.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length)
}

/// A server that closes its connection after a reply.
struct Web {
    server: Server,
    address: SocketAddr,
    requests: Vec<String>,
}

fn start(command: &mut Command, folder: &Path, address: SocketAddr, requests: Vec<String>) -> Result<Box<dyn Running>> {
    command.env("DSU_RUNTIME_DIR", folder).current_dir(folder);
    let mut server = Server::start(command, folder.join("server.log"))?;
    server.wait_for(address)?;
    Ok(Box::new(Web { server, address, requests }))
}

impl Running for Web {
    fn pid(&mut self) -> u32 {
        self.server.pid()
    }

    fn work(&mut self) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for request in &self.requests {
            let mut socket = TcpStream::connect(self.address)?;
            socket.set_read_timeout(Some(Duration::from_secs(10)))?;
            socket.write_all(request.as_bytes())?;
            let mut reply = Vec::new();
            socket.read_to_end(&mut reply).with_context(|| format!("no whole reply to {request:?}"))?;
            // Some pages say where they are.
            let reply = String::from_utf8_lossy(&reply).replace(&self.address.to_string(), "HERE");
            lines.extend(reply.lines().filter(|line| !is_of_the_moment(line)).map(text_or_junk));
        }
        self.server.check_alive()?;
        Ok(lines)
    }
}

/// A line, if it is text. tinyproxy shows what lies in memory before the first of its fixes, which is addresses.
fn text_or_junk(line: &str) -> String {
    let is_text = line.chars().all(|character| character.is_ascii_graphic() || character == ' ');
    if is_text { line.to_owned() } else { "junk".to_owned() }
}

/// Whether a line of a reply tells when it was made, or when its file was.
fn is_of_the_moment(line: &str) -> bool {
    ["Date:", "Last-Modified:", "ETag:"].iter().any(|name| line.starts_with(name))
}
