//! MO-7xxx: configuration, declarations and the command line.

codes! {
    CONFIG_INVALID = 7001, Permanent, 400, "invalid_request", "The configuration is not valid", "Mend the setting named in the detail; `moveout config print --origin` says where each value came from.";
    WORLD_INVALID = 7002, Permanent, 400, "invalid_request", "The declaration is not valid", "Mend what the detail names; nothing was applied.";
    SECRET_UNREADABLE = 7003, Permanent, 400, "invalid_request", "A secret cannot be read", "Check the file or environment variable that the detail names.";
    FILE_UNREADABLE = 7004, Permanent, 400, "invalid_request", "A file cannot be read", "Check that it exists and may be read.";
    FILE_UNWRITABLE = 7005, Permanent, 400, "invalid_request", "A file cannot be written", "Check that its folder exists and may be written.";
    LISTEN_FAILED = 7006, Permanent, 500, "server_error", "The address cannot be listened on", "Choose another with --listen, or stop the program that uses it.";
    CERTIFICATE_INVALID = 7007, Permanent, 400, "invalid_request", "The certificate or its key cannot be used", "Give a PEM chain and its PEM private key.";
    USAGE = 7008, Permanent, 400, "invalid_request", "The command cannot be used like this", "See `moveout --help`.";
    DATA_IN_USE = 7009, Permanent, 409, "conflict", "The data folder belongs to something else", "Choose an empty folder.";
    ADAPTER_UNKNOWN = 7012, Permanent, 404, "not_found", "There is no such adapter", "`moveout adapter list` lists them.";
}
