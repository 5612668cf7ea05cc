package storage

import (
	"context"

	"example.org/siem/core"
)

// SearchStore implements core.SearchStore.
type SearchStore struct {
	documents[core.SavedSearch, *core.SavedSearch]
}

// NewSearchStore returns the saved searches in db.
func NewSearchStore(db *DB) *SearchStore {
	return &SearchStore{documents[core.SavedSearch, *core.SavedSearch]{db: db, sort: "search"}}
}

// ShareSearch lets others see a search, or no longer. Only its owner may.
func (s *SearchStore) ShareSearch(tenant, id, owner string, shared bool) error {
	ctx, cancel := lookup()
	defer cancel()
	res, err := s.db.write.ExecContext(ctx, `UPDATE documents SET body = json_set(body, '$.shared', json(?)), updated_at = ?
		WHERE sort = ? AND tenant = ? AND id = ? AND json_extract(body, '$.owner') = ?`,
		encode(shared), millis(s.db.now()), s.sort, tenant, id, owner)
	return changed(res, err, "search of yours")
}

// VisibleSearches returns a user's own searches and those that are shared.
func (s *SearchStore) VisibleSearches(tenant, user string) ([]*core.SavedSearch, error) {
	return s.where(context.Background(), `tenant = ? AND (json_extract(body, '$.owner') = ? OR json_extract(body, '$.shared')) ORDER BY name`, tenant, user)
}
