//! Functions that are told the line they are called from: assertions, loggers, allocators that keep books.

/// Which of a function's arguments are the file and the line of the call, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Callee {
    /// The file's name, where the function is told that too.
    pub(super) file: Option<usize>,
    /// The line.
    pub(super) line: usize,
}

/// By file and line, each with the functions that are told so. Those of the last group are told the line alone.
const KNOWN: &[(Option<usize>, usize, &[&str])] = &[
    (
        Some(0),
        1,
        &[
            "__assert_func",
            "__assert2",
            "_serverPanic",
            "ERR_set_debug",
            "errfinish",
            "isc_assertion_failed",
            "isc_error_fatal",
            "isc_error_unexpected",
            "log_failed_assert",
            "ck_assert_failed",
            "log_fatal",
            "_Py_NegativeRefcount",
        ],
    ),
    (
        Some(1),
        2,
        &[
            "__assert_fail",
            "__assert",
            "__assert_perror_fail",
            "_serverAssert",
            "_redisAssert",
            "_redisPanic",
            "g_assertion_message",
            "g_assertion_message_expr",
            "g_assertion_message_cmpint",
            "g_assertion_message_cmpnum",
            "g_assertion_message_cmpstr",
            "g_assertion_message_cmpstrv",
            "g_assertion_message_error",
            "g_assert_warning",
            "g_warn_message",
            "ExceptionalCondition",
            "ut_dbg_assertion_failed",
            "log_assert_failed",
            "log_assert_failed_return",
            "log_assert_failed_unreachable",
            "log_error",
            "log_perror",
            "log_warn",
            "log_notice",
            "log_info",
            "log_debug",
            "log_error_write",
            "OPENSSL_die",
            "CRYPTO_malloc",
            "CRYPTO_zalloc",
            "CRYPTO_free",
            "CRYPTO_strdup",
            "__assert_rtn",
        ],
    ),
    (Some(2), 3, &["log_internal", "event_errx", "CRYPTO_realloc", "CRYPTO_memdup", "CRYPTO_clear_free"]),
    (Some(3), 4, &["_serverAssertWithInfo", "_redisAssertWithInfo", "ERR_put_error", "_PyObject_AssertFailed"]),
    (None, 0, &["sqlite3CorruptError", "sqlite3MisuseError", "sqlite3CantopenError", "sqlite3CorruptPgnoError"]),
    (None, 0, &["sqlite3NomemError", "sqlite3IoerrnomemError"]),
    (None, 1, &["sqlite3ReportError", "reportError"]),
    (None, 3, &["sqlite3_log"]),
];

/// What a function of this name is told.
pub(super) fn known(name: &str) -> Option<Callee> {
    let (file, line, _) = KNOWN.iter().find(|(.., names)| names.contains(&name))?;
    Some(Callee { file: *file, line: *line })
}
