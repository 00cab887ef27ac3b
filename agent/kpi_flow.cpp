#include "agent/kpi_flow.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits/traffic.hpp"

namespace penumbra::agent {

namespace {

Result<UniqueFd> connect_to(const std::filesystem::path& path) {
    sockaddr_un address{.sun_family = AF_UNIX};
    const std::string& name = path.native();
    if (name.size() >= sizeof address.sun_path)
        return fail(ErrorCode::kInvalidArgument, fmt::format("the path {} is too long for a socket", name));
    name.copy(address.sun_path, name.size());
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.valid()) return fail_errno(errno, "making a socket");
    // A listening UNIX socket is connected to at once, or refuses.
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return fail_errno(errno, fmt::format("connecting to {}", name));
    return socket;
}

}  // namespace

Result<void> KpiFlow::attach(const KpiSource& source) {
    Reader& reader = readers_[source.vantage];
    reader = Reader{.source = source};
    connect(reader);
    return {};
}

Result<void> KpiFlow::detach(const model::Vantage& vantage) {
    const auto found = readers_.find(vantage);
    if (found == readers_.end()) return {};
    while (found->second.socket.valid()) {  // what the process said last
        const Result<bool> more = read_some(found->second);
        if (!more.has_value() || !*more) break;
    }
    sample();
    pass_on(found->second);
    readers_.erase(found);
    return {};
}

Result<void> KpiFlow::set_rate(const model::Vantage& vantage, double rate) {
    const auto found = readers_.find(vantage);
    if (found == readers_.end())
        return fail(ErrorCode::kNotFound,
                    fmt::format("arm '{}' of shadow '{}' replays nothing", vantage.arm.text(), vantage.shadow.text()));
    found->second.rate = rate;
    if (found->second.socket.valid()) say(found->second, replay::SetRate{rate});
    return {};
}

void KpiFlow::release(const model::Vantage& vantage, std::uint64_t up_to) {
    const auto found = readers_.find(vantage);
    if (found != readers_.end() && found->second.socket.valid()) say(found->second, replay::Acknowledge{up_to});
}

void KpiFlow::connect(Reader& reader) {
    Result<UniqueFd> socket = connect_to(reader.source.socket);
    if (!socket.has_value()) return trouble(reader.source, socket.error());
    reader.decoder = {};
    reader.socket = std::move(*socket);
    auto io = parts_.loop.watch_fd(reader.socket.get(), EPOLLIN,
                                   [this, vantage = reader.source.vantage](std::uint32_t) { read(vantage); });
    if (!io.has_value()) {
        reader.socket.reset();
        return trouble(reader.source, io.error());
    }
    reader.io = std::move(*io);
    if (reader.rate.has_value()) say(reader, replay::SetRate{*reader.rate});
}

void KpiFlow::hang_up(Reader& reader) {
    reader.io = {};
    reader.socket.reset();
}

void KpiFlow::say(Reader& reader, const replay::AgentWord& word) {
    const packet::Buffer bytes = replay::encode(word);
    // Nine bytes that do not fit: it does not listen. On the next connection everything is said again.
    if (::send(reader.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) != std::ssize(bytes)) hang_up(reader);
}

Result<bool> KpiFlow::read_some(Reader& reader) {
    std::array<std::byte, 64UL * 1024> chunk{};
    const ssize_t count = ::read(reader.socket.get(), chunk.data(), chunk.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count < 0) return fail_errno(errno, "reading KPI windows");
    if (count == 0) {
        hang_up(reader);
        return false;
    }
    reader.decoder.feed(packet::ByteView(chunk.data(), static_cast<std::size_t>(count)));
    while (auto window = TRY(reader.decoder.next())) {
        window->vantage = reader.source.vantage;
        if (reader.waiting.size() >= limits::kKpiWindowsUnacknowledgedMax) reader.waiting.pop_front();
        reader.waiting.push_back(std::move(*window));
    }
    return true;
}

void KpiFlow::read(const model::Vantage& vantage) {
    const auto found = readers_.find(vantage);
    if (found == readers_.end() || !found->second.socket.valid()) return;
    const Result<bool> more = read_some(found->second);
    if (!more.has_value()) {
        trouble(found->second.source, more.error());
        return hang_up(found->second);
    }
    pass_on(found->second);
}

void KpiFlow::pass_on(Reader& reader) {
    while (!reader.waiting.empty()) {
        model::KpiWindow& window = reader.waiting.front();
        const auto usage = usage_[reader.source.domain].between(window.begin, window.begin + window.length);
        if (!usage.has_value()) return;
        window.guest_cpu_share = usage->cpu_share;
        window.disk_read_bytes = usage->disk_read_bytes;
        window.disk_write_bytes = usage->disk_write_bytes;
        parts_.tell(Event(KpiMeasured{std::move(window)}));
        reader.waiting.pop_front();
    }
}

void KpiFlow::sample() {
    const auto counters = parts_.inventory.counters();
    if (!counters.has_value()) {
        troubles_.push_back(
            fmt::format("the use of CPU and disks cannot be measured: {}", counters.error().describe()));
        return;
    }
    std::map<std::string, UsageSeries> usage;
    for (const auto& [vantage, reader] : readers_)
        if (auto known = usage_.extract(reader.source.domain); !known.empty()) usage.insert(std::move(known));
    usage_ = std::move(usage);
    const WallTime now = parts_.clock.wall();
    for (const auto& [vantage, reader] : readers_) {
        const auto vm = std::ranges::find(*counters, reader.source.domain, &hypervisor::VmCounters::name);
        if (vm != counters->end()) {
            usage_[vm->name].add(now, *vm);
        } else if (!reader.waiting.empty()) {
            troubles_.push_back(
                fmt::format("windows of VM {} wait for what it used: it is off, or its QEMU does not "
                            "answer; see `virsh domstate {}`",
                            reader.source.domain, reader.source.domain));
        }
    }
}

void KpiFlow::tick() {
    troubles_.clear();
    if (!readers_.empty()) sample();
    for (auto& [vantage, reader] : readers_) {
        if (!reader.socket.valid()) connect(reader);
        pass_on(reader);
    }
    parts_.tell(Troubles{.flow = "kpi", .sentences = troubles_});
}

void KpiFlow::trouble(const KpiSource& source, const Error& error) {
    troubles_.push_back(fmt::format("no KPI windows of group {} {} {}: {}", source.vantage.group.text(),
                                    source.vantage.shadow.text(), source.vantage.arm.text(), error.describe()));
}

}  // namespace penumbra::agent
