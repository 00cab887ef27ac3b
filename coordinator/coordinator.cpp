#include "coordinator/coordinator.hpp"

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/limits/api.hpp"
#include "base/limits/coordinator.hpp"
#include "base/log.hpp"
#include "coordinator/api.hpp"
#include "coordinator/core_driver.hpp"
#include "coordinator/enrolment.hpp"
#include "coordinator/session_hub.hpp"
#include "coordinator/store/sqlite_store.hpp"
#include "coordinator/store/store_worker.hpp"
#include "proto/keys.hpp"
#include "proto/local/server.hpp"
#include "proto/zmq/context.hpp"
#include "proto/zmq/enrol.hpp"
#include "proto/zmq/server.hpp"

namespace penumbra::coordinator {

namespace {

constexpr std::string_view kFleetDomain = "fleet";

Result<keys::KeyPair> own_keys(const std::filesystem::path& directory) {
    const std::filesystem::path file = directory / "coordinator.key";
    std::error_code unreadable;
    if (std::filesystem::exists(file, unreadable)) return keys::KeyPair::load(file);
    keys::KeyPair made = keys::KeyPair::generate();
    TRY(made.save(file));
    return made;
}

// "tcp://127.0.0.1:7701" -> 7701
Result<std::uint16_t> port_of(const std::string& endpoint) {
    const std::string digits = endpoint.substr(endpoint.rfind(':') + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size())
        return fail(ErrorCode::kInternal, fmt::format("the fleet link is bound to '{}', which has no port", endpoint));
    return port;
}

}  // namespace

/// In the order they are made; they go in the reverse one.
struct Coordinator::Parts {
    EventLoop& loop;
    const Clock& clock;
    const Options options;
    const Ended ended;
    Epoch epoch{};
    std::string public_key{};

    std::unique_ptr<StoreWorker> store{};
    std::optional<CoreDriver> core{};
    std::unique_ptr<zmq::Gate> gate{};
    std::unique_ptr<zmq::FleetServer> fleet{};
    std::optional<SessionHub> hub{};
    std::optional<Enrolment> enrolment{};
    std::unique_ptr<zmq::EnrolServer> enrol{};
    std::optional<Api> api{};
    std::unique_ptr<local::LocalServer> local{};
    EventLoop::Source tick{};

    Result<void> start() {
        auto opened = std::make_unique<SqliteStore>(SqliteStore::Options{.file = options.settings.state / "store.db"});
        Image image = TRY(opened->open(options.above));
        const std::vector<EnrolledKey> enrolled = TRY(opened->keys());
        const keys::KeyPair keys = TRY(own_keys(options.settings.state));
        epoch = image.epoch;
        public_key = keys.public_key().z85();
        store = TRY(StoreWorker::start(loop, std::move(opened), listener()));
        core.emplace(std::move(image), clock, outputs());
        TRY(join_fleet(keys, enrolled));
        api.emplace(Api::Parts{.clock = clock,
                               .core = *core,
                               .store = *store,
                               .service_clock = options.service_clock,
                               .holidays = options.settings.holidays,
                               .server_key = public_key,
                               .retired = [this](const HostId& host) { hub->forget(host); }});
        local = TRY(local::LocalServer::create(
            loop, {.path = options.settings.socket, .group = options.settings.socket_group},
            [this](model::api::Request request, const local::Peer& peer, local::Answer answer) {
                api->take(peer.user, std::move(request), std::move(answer));
            }));
        tick = TRY(loop.every(limits::kTickInterval, [this] { core->step(Tick{}); }));
        return {};
    }

    StoreWorker::Listener listener() {
        return {.committed = [this](std::uint64_t batch) { core->step(Committed{batch}); },
                .trouble = [this](const std::optional<Error>& error) { trouble(error); },
                .failed = [this](const Error& error) { ended(End::kStoreFailed, error.describe()); }};
    }

    // A full disk: what people and agents want to be remembered is refused; who stands where is still watched.
    void trouble(const std::optional<Error>& error) {
        if (error.has_value()) log::error("store.full", *error);
        if (!error.has_value()) log::event(log::Level::kNotice, "store.has_room", "The store takes changes again.");
        api->refuse_changes(error.has_value() ? error->describe() : "");
        hub->hold(error.has_value());
    }

    CoreDriver::Outputs outputs() {
        return {.persist =
                    [this](Batch batch) {
                        if (!store->commit(std::move(batch)))
                            ended(End::kStoreFailed, "the disk of the store has not answered for too long");
                    },
                .send = [this](const HostId& host, const model::Envelope& envelope) { hub->send(host, envelope); },
                .answer = [this](std::uint64_t client, const model::api::Reply& reply) { api->answer(client, reply); },
                .step_down =
                    [this](Epoch seen) {
                        ended(End::kSteppedDown,
                              fmt::format("an agent has served epoch {}, later than this one's {}: another coordinator "
                                          "has taken over, or this store is an old copy; if so, start once with "
                                          "--epoch-above {}",
                                          number(seen), number(epoch), number(seen)));
                    }};
    }

    Result<void> join_fleet(const keys::KeyPair& keys, const std::vector<EnrolledKey>& enrolled) {
        gate = TRY(zmq::Gate::create());
        fleet = TRY(zmq::FleetServer::create(
            loop, *gate, keys, {.endpoint = "tcp://" + options.settings.listen, .domain = std::string(kFleetDomain)}));
        hub.emplace(
            *fleet, [this](std::set<keys::PublicKey> admitted) { gate->admit(kFleetDomain, std::move(admitted)); },
            [this](const Event& event) { core->step(event); });
        TRY(hub->enrol_all(enrolled));
        enrolment.emplace(clock, *store, [this](const HostId& host, const keys::PublicKey& key) {
            hub->enrol(host, key);
            core->step(Asked{.user = "enrolment", .ask = EnrolHost{host}});
            log::event(log::Level::kNotice, "host.enrolled", fmt::format("Host {} is enrolled.", host.text()),
                       {{"HOST", host.text()}});
        });
        enrol = TRY(zmq::EnrolServer::create(
            loop, *gate, keys, "tcp://" + options.settings.enrol,
            [this, port = TRY(port_of(fleet->endpoint()))](const keys::PublicKey& key, const std::string& token,
                                                           const zmq::EnrolServer::Answer& answer) {
                enrolment->redeem(key, token, [port, answer](const Result<HostId>& host) {
                    if (!host.has_value()) return answer(tl::unexpected(host.error()));
                    answer(zmq::Enrolled{.host = *host, .fleet_port = port});
                });
            }));
        return {};
    }
};

Coordinator::Coordinator(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Coordinator::~Coordinator() = default;

Result<std::unique_ptr<Coordinator>> Coordinator::start(EventLoop& loop, const Clock& clock, Options options,
                                                        Ended ended) {
    std::unique_ptr<Parts> parts(new Parts{loop, clock, std::move(options), std::move(ended)});
    TRY(parts->start());
    return std::unique_ptr<Coordinator>(new Coordinator(std::move(parts)));
}

std::string Coordinator::describe() const {
    return fmt::format("epoch {}, agents at {}, people at {}", number(parts_->epoch), parts_->fleet->endpoint(),
                       parts_->options.settings.socket.string());
}
std::string Coordinator::fleet_endpoint() const {
    return parts_->fleet->endpoint();
}
std::string Coordinator::enrol_endpoint() const {
    return parts_->enrol->endpoint();
}
std::string Coordinator::server_key() const {
    return parts_->public_key;
}

}  // namespace penumbra::coordinator
