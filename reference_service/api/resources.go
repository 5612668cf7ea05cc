package api

import (
	"context"
	"net/http"

	"example.org/siem/core"
)

// resources serves one sort of document.
type resources[T any, P interface {
	*T
	core.Resource
}] struct {
	server *Server
	name   string
	store  core.Collection[T]
}

// serve registers the five methods of a sort of document: who may read events
// may read it, who holds permission may change it.
func serve[T any, P interface {
	*T
	core.Resource
}](s *Server, on func(string, core.Permission, handlerFunc), name string, permission core.Permission, store core.Collection[T]) {
	h := &resources[T, P]{server: s, name: name, store: store}
	on("GET /api/v1/"+name, core.PermissionRead, h.list)
	on("POST /api/v1/"+name, permission, h.create)
	on("GET /api/v1/"+name+"/{id}", core.PermissionRead, h.find)
	on("PUT /api/v1/"+name+"/{id}", permission, h.update)
	on("DELETE /api/v1/"+name+"/{id}", permission, h.remove)
}

func (h *resources[T, P]) list(w http.ResponseWriter, r *http.Request) error {
	docs, err := h.store.List(tenant(r))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, docs)
}

func (h *resources[T, P]) create(w http.ResponseWriter, r *http.Request) error {
	doc, err := h.read(w, r)
	if err != nil {
		return err
	}
	if owned, ok := any(doc).(interface{ SetOwner(string) }); ok {
		owned.SetOwner(core.ActorFrom(r.Context()))
	}
	if err := h.store.Create(doc); err != nil {
		return err
	}
	h.record(r, "create", P(doc).Info())
	return writeJSON(w, http.StatusCreated, doc)
}

func (h *resources[T, P]) find(w http.ResponseWriter, r *http.Request) error {
	doc, err := h.store.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, doc)
}

func (h *resources[T, P]) update(w http.ResponseWriter, r *http.Request) error {
	doc, err := h.read(w, r)
	if err != nil {
		return err
	}
	stored, err := h.store.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	info, was := P(doc).Info(), P(stored).Info()
	info.ID, info.CreatedAt = was.ID, was.CreatedAt
	if owned, ok := any(doc).(interface{ SetOwner(string) }); ok {
		owned.SetOwner(core.ActorFrom(r.Context()))
	}
	if err := h.store.Update(doc); err != nil {
		return err
	}
	h.record(r, "update", info)
	return writeJSON(w, http.StatusOK, doc)
}

func (h *resources[T, P]) remove(w http.ResponseWriter, r *http.Request) error {
	if err := h.store.Delete(tenant(r), r.PathValue("id")); err != nil {
		return err
	}
	h.record(r, "delete", &core.Meta{ID: r.PathValue("id")})
	return noContent(w)
}

func (h *resources[T, P]) read(w http.ResponseWriter, r *http.Request) (*T, error) {
	doc := new(T)
	if err := h.server.readJSON(w, r, doc); err != nil {
		return nil, err
	}
	P(doc).Info().Tenant = tenant(r)
	if err := P(doc).Validate(); err != nil {
		return nil, err
	}
	return doc, h.server.mayReach(doc)
}

// mayReach refuses what names an address that the service must not reach. Whether
// anybody answers there, its use will show.
func (s *Server) mayReach(doc any) error {
	remote, ok := doc.(core.Remote)
	if !ok {
		return nil
	}
	if err := s.Runner.Reachable(remote.Address()); core.ErrorCode(err) == core.CodeForbidden {
		return err
	}
	return nil
}

// record notes a change in the audit log; it may be slower than the answer.
func (h *resources[T, P]) record(r *http.Request, verb string, info *core.Meta) {
	entry := &core.AuditEntry{Action: h.name + "." + verb, Target: info.ID, Detail: info.Name}
	h.server.background.Go(func() {
		if err := h.server.Audit.Record(context.Background(), entry); err != nil {
			h.server.log.Error("audit entry was lost", "action", entry.Action, "target", entry.Target, "error", err)
		}
	})
}
