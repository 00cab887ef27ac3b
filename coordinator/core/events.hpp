#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "coordinator/core/records.hpp"
#include "proto/model/api.hpp"
#include "proto/model/session.hpp"

/// What goes into the coordinator's core and what comes out of it. Plain values: the core has no clock and does no I/O.
namespace penumbra::coordinator {

/// The two clocks of one moment: decisions use `now`, `wall` is only written down.
struct Moment {
    Instant now{};
    WallTime wall{};
};

// ---- events
struct Tick {};    ///< once a second
struct Received {  ///< `host` is who ZAP says sent it, never what the message claims
    HostId host;
    model::Envelope envelope;
};
struct Garbled {  ///< what this host sent could not be decoded
    HostId host;
    std::string what;
};
struct Committed {  ///< every batch up to this number is durable
    std::uint64_t batch = 0;
};
struct EnrolHost {
    HostId host;
};
struct StartTrial {  ///< of api::RunTrial, parsed; a forecast's aim is turned into multiples already
    model::TrialSpec spec;
};
struct StartRollout {  ///< of api::ApplyRollout, parsed
    model::RolloutSpec spec;
};
/// Requests that change something, parsed; reading ones are answered from views.hpp.
using Ask =
    std::variant<model::api::Replicate, model::api::MakeShadow, model::api::RemoveShadow, model::api::RemoveEverything,
                 model::api::RetireHost, model::api::ResolveCommand, model::api::ProbeShadow, EnrolHost, StartTrial,
                 model::api::AbortTrial, StartRollout, model::api::ConfirmRollout, model::api::AbortRollout>;
struct Asked {
    std::uint64_t client = 0;  ///< echoed in the Answer
    std::string request_id;    ///< done once; empty: not remembered
    std::string user;
    Ask ask;
};
using Event = std::variant<Tick, Received, Garbled, Committed, Asked>;

// ---- actions, to be done in this order
struct Persist {  ///< one transaction; Committed says when it is durable
    Batch batch;
};
struct Send {
    HostId host;
    model::Envelope envelope;
};
struct Answer {
    std::uint64_t client = 0;
    model::api::Reply reply;
};
struct StepDown {  ///< a later coordinator life has been seen: stop, and do not start again by yourself
    Epoch seen{};
};
using Action = std::variant<Persist, Send, Answer, StepDown>;
using Actions = std::vector<Action>;

}  // namespace penumbra::coordinator
