package core

import (
	"context"
	"io"
	"slices"
	"time"
)

// Copy is one backup of the database.
type Copy struct {
	Name   string    `json:"name"`
	Bytes  int64     `json:"bytes"`
	SHA256 string    `json:"sha256"`
	At     time.Time `json:"at"`
}

// Keeper makes backups, looks after them and takes them elsewhere.
type Keeper interface {
	Make() (*Copy, error)
	Copies(ctx context.Context) ([]*Copy, error)
	Verify(ctx context.Context, name string) ([]string, error)
	Upload(name string) (int64, error)
}

// Pack is a set of rules that somebody else looks after.
type Pack struct {
	Meta
	URL         string    `json:"url"`
	SHA256      string    `json:"sha256,omitempty"`
	Version     string    `json:"version"`
	Rules       int       `json:"rules"`
	InstalledAt time.Time `json:"installed_at,omitzero"`
}

// Address is where the rules are.
func (p *Pack) Address() string { return p.URL }

// Validate returns an error if p can't be fetched.
func (p *Pack) Validate() error {
	if p.Name == "" || (p.SHA256 != "" && len(p.SHA256) != 64) {
		return Errorf(CodeInvalid, "name is required, and sha256 is 64 hex digits or left out")
	}
	return validateURL(p.URL)
}

// PackChange is what installing a pack would do, or did.
type PackChange struct {
	Version string   `json:"version"`
	Added   []string `json:"added"`
	Changed []string `json:"changed"`
	Removed []string `json:"removed"`
}

// PackStore keeps packs and which rules came with them.
type PackStore interface {
	Collection[Pack]
	PackRules(ctx context.Context, packID string) (map[string]string, error)
	ApplyPack(ctx context.Context, p *Pack, rules []*Rule, removed []string) error
	RemovePack(tenant, id string) (int, error)
}

// Packer installs packs.
type Packer interface {
	Diff(p *Pack) (*PackChange, error)
	Install(ctx context.Context, p *Pack) (*PackChange, error)
	Outdated(ctx context.Context, tenant string) (map[string]string, error)
}

// Source is another system whose events are fetched.
type Source struct {
	Meta
	URL     string `json:"url"`
	Minutes int    `json:"every_minutes"`
	Kind    string `json:"kind"`
	Cursor  string `json:"cursor"`
	LastErr string `json:"last_error,omitempty"`
}

// Address is where the events are.
func (s *Source) Address() string { return s.URL }

// Validate returns an error if s can't be fetched.
func (s *Source) Validate() error {
	if s.Name == "" || s.Kind == "" || s.Minutes < 1 {
		return Errorf(CodeInvalid, "name and kind are required, and every_minutes must be positive")
	}
	return validateURL(s.URL)
}

// SourceStore keeps sources and how far they were read.
type SourceStore interface {
	Collection[Source]
	Advance(ctx context.Context, s *Source, cursor string) error
	Stalled(ctx context.Context, s *Source, cause string) error
	DueSources(now time.Time) ([]*Source, error)
}

// Puller fetches from sources.
type Puller interface {
	Pull(s *Source) (int, error)
}

// ExportJob writes the events a filter selects to a file.
type ExportJob struct {
	ID        string      `json:"id"`
	Tenant    string      `json:"tenant"`
	Owner     string      `json:"owner"`
	Filter    EventFilter `json:"filter"`
	Format    string      `json:"format"`
	Status    string      `json:"status"`
	Written   int         `json:"written"`
	Error     string      `json:"error,omitempty"`
	CreatedAt time.Time   `json:"created_at"`
}

// Validate returns an error if j can't be carried out.
func (j *ExportJob) Validate() error {
	if !slices.Contains([]string{"ndjson", "csv"}, j.Format) {
		return Errorf(CodeInvalid, "format must be ndjson or csv")
	}
	return nil
}

// ExportStore keeps export jobs.
type ExportStore interface {
	CreateJob(ctx context.Context, j *ExportJob) error
	JobByID(tenant, id string) (*ExportJob, error)
	JobsOf(ctx context.Context, tenant string) ([]*ExportJob, error)
	Progress(ctx context.Context, id string, written int) error
	EndJob(id, status, reason string) error
	CancelJob(ctx context.Context, tenant, id string) error
	UnfinishedJobs(ctx context.Context) ([]*ExportJob, error)
}

// Exporter carries out export jobs.
type Exporter interface {
	Queue(j *ExportJob) error
	Cancel(id string) bool
	Read(j *ExportJob, to io.Writer) error
}

// AssetImport is what an import of assets did.
type AssetImport struct {
	Read    int      `json:"read"`
	Stored  int      `json:"stored"`
	Unknown []string `json:"unknown"`
}

// Inventory imports what another system knows about hosts.
type Inventory interface {
	ImportAssets(ctx context.Context, tenant string, assets []*Asset) (*AssetImport, error)
	UnknownHosts(tenant string, hosts []string) ([]string, error)
}
