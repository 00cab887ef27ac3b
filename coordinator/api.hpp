#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/time_zone.hpp"
#include "coordinator/core/events.hpp"
#include "coordinator/core_driver.hpp"
#include "coordinator/store/store_worker.hpp"
#include "proto/model/api.hpp"

namespace penumbra::coordinator {

/// Answers what people ask: readings from what the core and the store know, changes by way of the core, whose answer
/// waits for its commit. Thread-bound; every answer is given from the loop, once.
class Api {
 public:
    using Answer = std::function<void(const model::api::Reply&)>;
    struct Parts {
        const Clock& clock;
        CoreDriver& core;
        StoreWorker& store;
        std::vector<OffsetChange> service_clock{};   ///< for forecasts; empty: UTC
        std::filesystem::path holidays{};            ///< for forecasts, read at each; empty: none
        std::string server_key;                      ///< shown beside a token: the agent must know it
        std::function<void(const HostId&)> retired;  ///< its key is void in the store: hear it no more
    };

    /// `parts` outlive this, and this outlives every job it gave to the store.
    explicit Api(Parts parts) : parts_(std::move(parts)) {}
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;
    Api(Api&&) = delete;
    Api& operator=(Api&&) = delete;
    ~Api() = default;

    void take(const std::string& user, model::api::Request request, Answer answer);
    /// What the core says to one of its clients.
    void answer(std::uint64_t client, const model::api::Reply& reply);
    /// While there is a sentence nothing that changes something is taken; it says why.
    void refuse_changes(std::string why) { refusal_ = std::move(why); }

 private:
    struct Asking;
    using Reply = std::function<void(model::api::ReplyBody)>;

    void ask_core(const std::string& user, const std::string& request_id, Ask ask, Reply reply);

    const Parts parts_;
    std::map<std::uint64_t, Reply> waiting_;  // bounded by the local socket's connections
    std::uint64_t client_ = 0;
    std::string refusal_;
};

}  // namespace penumbra::coordinator
