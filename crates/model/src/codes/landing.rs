//! MO-4xxx: the landing (DTP Generic Importer) and its OAuth 2 server.

codes! {
    TOKEN_INVALID = 4001, NeedsUser, 401, "invalid_token", "The access token is missing, unknown, expired or revoked", "Refresh the token, or walk the authorization again.";
    SCOPE_INSUFFICIENT = 4002, NeedsUser, 403, "insufficient_scope", "The access token does not allow this", "Ask for the scope named in the detail.";
    PAYLOAD_MALFORMED = 4003, Permanent, 400, "invalid_request", "The payload is not a DTP GenericPayload", "Send the envelope that the Generic Importer documentation shows.";
    PAYLOAD_UNSUPPORTED = 4004, Permanent, 400, "invalid_request", "This vertical does not take that payload type", "Send the item to the vertical named in the detail.";
    MULTIPART_MALFORMED = 4005, Permanent, 400, "invalid_request", "The multipart/related body is not well formed", "Send the JSON part first, then one part with the bytes.";
    DESTINATION_FULL = 4006, NeedsUser, 413, "destination_full", "The account has no space left", "Free space or raise the account's quota; the sender pauses and can resume.";
    PAYLOAD_TOO_LARGE = 4007, Permanent, 413, "invalid_request", "The JSON part is larger than we take", "Send large content as the bytes of a multipart/related body.";
    PAYLOAD_TOO_DEEP = 4008, Permanent, 400, "invalid_request", "The JSON is nested too deeply", "Send at most 64 levels.";
    CLIENT_INVALID = 4009, Permanent, 401, "invalid_client", "The client could not be authenticated", "Check the client id and secret; declare the client with `moveout apply`.";
    GRANT_INVALID = 4010, NeedsUser, 400, "invalid_grant", "The code or refresh token is not valid", "Walk the authorization again.";
    GRANT_UNSUPPORTED = 4011, Permanent, 400, "unsupported_grant_type", "This grant type is not supported", "Use authorization_code or refresh_token.";
    REDIRECT_MISMATCH = 4012, Permanent, 400, "invalid_request", "The redirect URI is not registered for this client", "Register the exact URI with `moveout apply`.";
    SCOPE_INVALID = 4013, Permanent, 400, "invalid_scope", "A scope is unknown or not allowed for this client", "Ask for scopes that the client is declared with.";
    RESPONSE_TYPE_UNSUPPORTED = 4014, Permanent, 400, "unsupported_response_type", "Only response_type=code is supported", "Use the authorization code grant.";
    PKCE_REQUIRED = 4015, Permanent, 400, "invalid_request", "PKCE with S256 is required", "Send code_challenge and code_challenge_method=S256.";
    LOGIN_FAILED = 4016, NeedsUser, 403, "access_denied", "The name or the password is wrong", "Try again, or ask the operator to reset the password.";
    FORM_STALE = 4017, NeedsUser, 403, "access_denied", "The form is too old or was not made for this browser", "Go back, reload the page and try again.";
    ACCOUNT_UNKNOWN = 4018, Permanent, 404, "not_found", "No such account", "Declare it with `moveout account add`.";
    SESSION_INVALIDATED = 4019, NeedsUser, 401, "session_invalidated", "The person has taken back what they granted", "Stop sending; the person can grant it again.";
    VERTICAL_UNKNOWN = 4020, Permanent, 404, "not_found", "There is no such vertical here", "Use one of media, photos, videos or social-posts.";
    OAUTH_REQUEST_MALFORMED = 4021, Permanent, 400, "invalid_request", "The OAuth request is not well formed", "Send each parameter once, as RFC 6749 describes it.";
    CLIENT_UNKNOWN = 4022, Permanent, 400, "invalid_request", "No client of this id is declared", "Declare the client with `moveout apply`; nobody was redirected.";
    CONSENT_REFUSED = 4023, NeedsUser, 400, "access_denied", "The person said no", "Nothing was granted; the person can be asked again.";
    ACCOUNT_EXISTS = 4024, Permanent, 409, "conflict", "An account of this name exists already", "Choose another name, or set its password with --reset.";
    PASSWORD_UNUSABLE = 4025, Permanent, 400, "invalid_request", "This password cannot be used", "Choose one of 12 to 200 characters.";
    ACCOUNT_NAME_INVALID = 4026, Permanent, 400, "invalid_request", "This account name cannot be used", "Use 1 to 100 characters without control characters or surrounding spaces.";
    OPERATOR_ONLY = 4027, NeedsUser, 403, "access_denied", "Only an operator may see this", "Sign in with an operator's account, made by `moveout account add NAME --operator`.";
}
