//! Any text is a configuration or a problem that says where; building it live is no panic either.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proxy::Config;

fuzz_target!(|text: &str| {
    // What it includes or names would be read from this machine.
    if text.contains("include") || text.contains("_log") || text.contains("load_module") {
        return;
    }
    match Config::from_text(text) {
        Ok(_) => {}
        Err(problem) => assert!(!problem.to_string().is_empty() && problem.render().len() < 1 << 20),
    }
});
