package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"example.org/siem/core"
)

var statuses = map[string]int{
	core.CodeInvalid:      http.StatusBadRequest,
	core.CodeUnauthorized: http.StatusUnauthorized,
	core.CodeForbidden:    http.StatusForbidden,
	core.CodeNotFound:     http.StatusNotFound,
	core.CodeMethod:       http.StatusMethodNotAllowed,
	core.CodeConflict:     http.StatusConflict,
	core.CodeTooLarge:     http.StatusRequestEntityTooLarge,
	core.CodeTimeout:      http.StatusGatewayTimeout,
	core.CodeCanceled:     499, // nobody is left to read it; the log is
	core.CodeUnavailable:  http.StatusBadGateway,
	core.CodeInternal:     http.StatusInternalServerError,
}

type errorBody struct {
	Error     string `json:"error"`
	Message   string `json:"message"`
	RequestID string `json:"request_id"`
}

// answered turns the error of a handler into an answer.
func (s *Server) answered(h handlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		if core.ErrorCode(err) == core.CodeInternal && r.Context().Err() != nil {
			err = r.Context().Err() // what fails because the request is over is not a fault
		}
		s.writeError(w, r, err)
	})
}

func (s *Server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	code := core.ErrorCode(err)
	id := core.RequestIDFrom(r.Context())
	if code == core.CodeInternal {
		s.log.Error("request failed", "path", r.URL.Path, "request_id", id, "error", err)
	}
	if code == core.CodeUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="siem"`)
	}
	_ = writeJSON(w, statuses[code], errorBody{Error: code, Message: core.ErrorMessage(err), RequestID: id})
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // only the connection can fail now
	return nil
}

func noContent(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readBody reads a body to its end: before that, net/http does not notice that
// a client has gone.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.cfg.MaxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, core.Errorf(core.CodeTooLarge, "the body is larger than %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return nil, core.Errorf(core.CodeInvalid, "the body could not be read: %v", err)
	}
	return body, nil
}

func (s *Server) readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := s.readBody(w, r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return core.Errorf(core.CodeInvalid, "the body is not the JSON expected: %v", err)
	}
	if string(bytes.TrimSpace(body)) == "null" {
		return core.Errorf(core.CodeInvalid, "the body is null")
	}
	return nil
}

// query reads parameters of a URL and remembers the first that is wrong.
type query struct {
	r   *http.Request
	err error
}

func (q *query) text(name string) string { return q.r.URL.Query().Get(name) }

func (q *query) number(name string, otherwise int) int {
	raw := q.text(name)
	if raw == "" {
		return otherwise
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < 0 {
		q.err = core.Errorf(core.CodeInvalid, "%s must be a number", name)
	}
	return n
}

// limit reads how many records an answer may have.
func limit(r *http.Request, otherwise int) (int, error) {
	q := &query{r: r}
	n := q.number("limit", otherwise)
	return n, q.err
}

func (q *query) moment(name string) time.Time {
	raw := q.text(name)
	if raw == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, raw)
	if err != nil {
		q.err = core.Errorf(core.CodeInvalid, "%s must be a time like 2026-01-02T15:04:05Z", name)
	}
	return t
}

func (q *query) duration(name string, otherwise time.Duration) time.Duration {
	raw := q.text(name)
	if raw == "" {
		return otherwise
	}
	d, err := time.ParseDuration(raw)
	if err != nil || d <= 0 {
		q.err = core.Errorf(core.CodeInvalid, "%s must be a duration like 5m", name)
	}
	return d
}
