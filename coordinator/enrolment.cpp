#include "coordinator/enrolment.hpp"

#include <utility>

namespace penumbra::coordinator {

Enrolment::Enrolment(const Clock& clock, StoreWorker& store, Enrolled enrolled)
    : clock_(clock), store_(store), enrolled_(std::move(enrolled)) {}

void Enrolment::redeem(const keys::PublicKey& key, std::string_view token, const Done& done) {
    const bool taken =
        store_.ask<Result<HostId>>([hash = keys::token_hash(token), public_key = key.z85(), now = clock_.wall()](
                                       Store& store) { return store.redeem_token(hash, public_key, now); },
                                   [this, key, done](const Result<HostId>& host) {
                                       if (host.has_value()) enrolled_(*host, key);
                                       done(host);
                                   });
    if (!taken) done(fail(ErrorCode::kUnavailable, "the coordinator's disk is too slow to enrol a host: try again"));
}

}  // namespace penumbra::coordinator
