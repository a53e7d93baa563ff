//! Makes sure that the folder of the built page exists, so that the program compiles without the page too.

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=web/dist");
    std::fs::create_dir_all("web/dist")
}
