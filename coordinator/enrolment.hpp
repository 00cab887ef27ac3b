#pragma once

#include <functional>
#include <string_view>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "coordinator/store/store_worker.hpp"
#include "proto/keys.hpp"

namespace penumbra::coordinator {

/// Lets new keys in against one-use tokens: the key is stored, and then heard. Thread-bound.
class Enrolment {
 public:
    using Enrolled = std::function<void(const HostId&, const keys::PublicKey&)>;
    using Done = std::function<void(const Result<HostId>&)>;

    /// `enrolled` is called once the key is stored, before the host hears of it. The references outlive this.
    Enrolment(const Clock& clock, StoreWorker& store, Enrolled enrolled);

    /// `key` is the one the connection proved to hold. `done` is called once, with whom it speaks for from now on or
    /// why it was refused.
    void redeem(const keys::PublicKey& key, std::string_view token, const Done& done);

 private:
    const Clock& clock_;
    StoreWorker& store_;
    const Enrolled enrolled_;
};

}  // namespace penumbra::coordinator
