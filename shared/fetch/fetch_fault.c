#include "shared/fetch/fetch_fault.h"

static bool
timed_out(const struct fetch_fault *f, struct err *e)
{
	if (f->connected)
		return err_set(
		        e, ERR_IO, "%s gave no answer within %d ms", f->origin, f->timeout_ms);
	return err_set(e, ERR_IO, "cannot connect to %s within %d ms; is %s running?", f->origin,
	        f->connect_timeout_ms < f->timeout_ms ? f->connect_timeout_ms : f->timeout_ms,
	        f->peer);
}

bool
fetch_fault(const struct fetch_fault *f, struct err *e)
{
	switch ((int)f->code) { /* of about a hundred */
	case CURLE_OUT_OF_MEMORY:
		return err_set(e, ERR_NOMEM, "out of memory for a request");
	case CURLE_UNSUPPORTED_PROTOCOL:
		if (f->connected)
			return err_set(e, ERR_IO, "%s does not speak HTTP", f->origin);
		/* fall through */
	case CURLE_URL_MALFORMAT:
		return err_set(
		        e, ERR_FORMAT, "not an address that begins with http:// or https://");
	case CURLE_LOGIN_DENIED:
		return err_set(e, ERR_FORMAT, "an address must not hold a user name or password");
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return err_set(e, ERR_IO, "cannot find the host of %s; check its name", f->origin);
	case CURLE_COULDNT_CONNECT:
		return err_set(e, ERR_IO, "cannot connect to %s: %s; is %s running?", f->origin,
		        f->detail, f->peer);
	case CURLE_OPERATION_TIMEDOUT:
		return timed_out(f, e);
	case CURLE_PEER_FAILED_VERIFICATION:
		return err_set(e, ERR_IO,
		        "the certificate of %s is not trusted (%s); name its issuer's file",
		        f->origin, f->detail);
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(e, ERR_IO, "cannot read the file of trusted issuers: %s", f->detail);
	case CURLE_SSL_CONNECT_ERROR:
		return err_set(e, ERR_IO, "no TLS with %s: %s; is it https?", f->origin, f->detail);
	case CURLE_WRITE_ERROR:
		return err_set(e, ERR_LIMIT, "the answer of %s is longer than %zu bytes", f->origin,
		        f->response_max);
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return err_set(e, ERR_IO, "%s closed the connection before its answer was complete",
		        f->origin);
	default:
		return err_set(e, ERR_IO, "no answer from %s: %s", f->origin, f->detail);
	}
}
