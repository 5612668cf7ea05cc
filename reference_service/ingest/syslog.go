// Package ingest takes events from the network.
package ingest

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"example.org/siem/core"
)

// ParseLine reads one line: JSON, or syslog as in RFC 5424 or RFC 3164.
func ParseLine(line string, now time.Time) (*core.Event, error) {
	line = strings.TrimSpace(line)
	if line == "" {
		return nil, core.Errorf(core.CodeInvalid, "empty line")
	}
	if line[0] == '{' {
		e := &core.Event{}
		if err := json.Unmarshal([]byte(line), e); err != nil {
			return nil, core.Errorf(core.CodeInvalid, "not an event: %v", err)
		}
		if e.At.IsZero() {
			e.At = now
		}
		return e, e.Validate()
	}
	return parseSyslog(line, now)
}

func parseSyslog(line string, now time.Time) (*core.Event, error) {
	end := strings.IndexByte(line, '>')
	if line[0] != '<' || end < 2 || end > 4 {
		return nil, core.Errorf(core.CodeInvalid, "neither JSON nor syslog")
	}
	priority, err := strconv.ParseUint(line[1:end], 10, 8)
	if err != nil || priority > 191 {
		return nil, core.Errorf(core.CodeInvalid, "%q is not a priority", line[1:end])
	}
	e := &core.Event{Kind: "syslog", At: now, Severity: severity(priority % 8), Fields: map[string]string{"facility": strconv.FormatUint(priority/8, 10)}}
	if rest := line[end+1:]; strings.HasPrefix(rest, "1 ") {
		parse5424(e, rest[2:])
	} else {
		parse3164(e, rest, now)
	}
	return e, nil
}

// severity maps syslog's eight levels, 0 the worst, to ours.
func severity(level uint64) core.Severity {
	return [...]core.Severity{core.SeverityCritical, core.SeverityCritical, core.SeverityCritical, core.SeverityHigh,
		core.SeverityMedium, core.SeverityLow, core.SeverityInfo, core.SeverityInfo}[level]
}

// parse5424 reads: time host app procid msgid data message.
func parse5424(e *core.Event, rest string) {
	parts := strings.SplitN(rest, " ", 6)
	for len(parts) < 6 {
		parts = append(parts, "-")
	}
	if at, err := time.Parse(time.RFC3339Nano, parts[0]); err == nil {
		e.At = at
	}
	e.Host = dash(parts[1])
	if app := dash(parts[2]); app != "" {
		e.Kind = app
	}
	if pid := dash(parts[3]); pid != "" {
		e.Fields["procid"] = pid
	}
	e.Message = parts[5]
	if data, message, ok := strings.Cut(parts[5], "] "); ok && strings.HasPrefix(data, "[") {
		e.Fields["data"], e.Message = data+"]", message
	} else if message, ok := strings.CutPrefix(parts[5], "- "); ok {
		e.Message = message
	}
}

func dash(s string) string {
	if s == "-" {
		return ""
	}
	return s
}

// parse3164 reads: Mmm dd hh:mm:ss host tag: message, as far as it is there.
func parse3164(e *core.Event, rest string, now time.Time) {
	if len(rest) > 16 {
		if at, err := time.Parse(time.Stamp, rest[:15]); err == nil {
			e.At = at.AddDate(now.Year(), 0, 0).UTC()
			rest = rest[16:]
			e.Host, rest, _ = strings.Cut(rest, " ")
		}
	}
	e.Message = rest
	if tag, message, ok := strings.Cut(rest, ": "); ok && !strings.Contains(tag, " ") {
		if name, _, _ := strings.Cut(tag, "["); name != "" {
			e.Kind, e.Message = name, message
		}
	}
}
