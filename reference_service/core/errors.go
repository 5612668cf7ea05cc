// Package core holds the service's vocabulary: its types, its errors and the
// interfaces that storage, delivery and detection implement or use. It imports
// no technology.
package core

import (
	"context"
	"errors"
	"fmt"
)

// Codes of errors that callers outside this process may rely on.
const (
	CodeInvalid      = "invalid"
	CodeUnauthorized = "unauthorized"
	CodeForbidden    = "forbidden"
	CodeNotFound     = "not_found"
	CodeMethod       = "method_not_allowed"
	CodeConflict     = "conflict"
	CodeTooLarge     = "too_large"
	CodeTimeout      = "timeout"
	CodeCanceled     = "canceled"
	CodeUnavailable  = "unavailable"
	CodeInternal     = "internal"
)

// Error is an error meant for the caller: Code for programs, Message for people.
type Error struct {
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf returns an *Error with a formatted message.
func Errorf(code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// ErrorCode returns the code of err: its own, or the one its cause maps to.
func ErrorCode(err error) string {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Code
	case errors.Is(err, context.DeadlineExceeded):
		return CodeTimeout
	case errors.Is(err, context.Canceled):
		return CodeCanceled
	}
	return CodeInternal
}

// ErrorMessage returns what a caller may read; internal causes are not shown.
func ErrorMessage(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Message
	}
	switch ErrorCode(err) {
	case CodeTimeout:
		return "the request took longer than it was allowed to"
	case CodeCanceled:
		return "the request was cancelled"
	}
	return "internal error"
}
