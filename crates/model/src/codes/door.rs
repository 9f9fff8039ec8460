//! MO-1xxx: what arrives at a door.

codes! {
    SIGNATURE_MISMATCH = 1001, Permanent, 400, "invalid_request", "The signature does not match", "Check that the app secret declared for this app is the one in the platform's dashboard; declare old and new secrets together while rotating.";
    SIGNED_REQUEST_MALFORMED = 1002, Permanent, 400, "invalid_request", "The signed_request is not well formed", "Send base64url(HMAC-SHA256) '.' base64url(JSON), unchanged, as the form field signed_request.";
    ALGORITHM_UNSUPPORTED = 1003, Permanent, 400, "invalid_request", "The signed_request names another algorithm than HMAC-SHA256", "Sign with HMAC-SHA256 and say so in the member algorithm.";
    USER_ID_MISSING = 1004, Permanent, 400, "invalid_request", "The signed_request names no person", "Send user_id (or asid, for instant games) in the payload.";
    FIELD_MISSING = 1005, Permanent, 400, "invalid_request", "A required field is missing", "Send the field named in the detail.";
    APP_UNKNOWN = 1006, Permanent, 404, "not_found", "No app of this name is declared", "Declare the app with `moveout apply` and use the URL that it prints.";
    BODY_TOO_LARGE = 1007, Permanent, 413, "invalid_request", "The body is larger than this door takes", "Send less; the detail names the limit.";
    CONTENT_TYPE_UNSUPPORTED = 1008, Permanent, 415, "invalid_request", "This door does not take that content type", "Send the content type named in the detail.";
    TOO_MANY_REQUESTS = 1009, Retry, 429, "slow_down", "Too many requests", "Wait for the time in Retry-After and try again.";
    CODE_UNKNOWN = 1010, Permanent, 404, "not_found", "No request has this confirmation code", "Check the code for typing errors; it has 26 letters and digits.";
    NO_SECRET = 1011, Blocked, 500, "server_error", "The app has no usable secret", "Declare at least one non-empty secret for the app; an empty secret is never accepted.";
    NOT_FOUND = 1012, Permanent, 404, "not_found", "There is nothing at this address", "Check the address.";
    METHOD_NOT_ALLOWED = 1013, Permanent, 405, "invalid_request", "This address does not take that method", "Use a method named in the Allow header.";
    BODY_UNREADABLE = 1014, Permanent, 400, "invalid_request", "The body could not be read to its end", "Send the whole body, as long as its Content-Length says.";
    INTERNAL = 1015, Retry, 500, "server_error", "Something went wrong on our side", "Try again; if it happens again, send the operator the time and this code.";
    TOO_SLOW = 1016, Retry, 408, "invalid_request", "The request took too long to arrive", "Send it again over a faster connection.";
    STOPPING = 1017, Retry, 503, "temporarily_unavailable", "The server is stopping", "Ask again in a moment; another one takes over.";
    WEBHOOK_MALFORMED = 1040, Permanent, 400, "invalid_request", "The webhook's headers are not well formed", "Send webhook-id, webhook-timestamp and webhook-signature as Standard Webhooks says.";
    WEBHOOK_MISMATCH = 1041, Permanent, 401, "invalid_request", "The webhook's signature does not match", "Sign '{id}.{timestamp}.{body}' with the declared secret, over the bytes as they are sent; use old and new secrets together while rotating.";
    WEBHOOK_STALE = 1042, Permanent, 400, "invalid_request", "The webhook was signed too long ago, or in the future", "Set the clocks right, and sign each attempt anew.";
    WEBHOOK_SECRET_INVALID = 1043, Permanent, 400, "invalid_request", "The webhook secret cannot be used", "Give whsec_ and the Base64 of 24 to 64 random bytes.";
}
