#include "netisolate/ovs/openflow.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <endian.h>

extern "C" {
#include <openvswitch/dynamic-string.h>
#include <openvswitch/match.h>
#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-bundle.h>
#include <openvswitch/ofp-errors.h>
#include <openvswitch/ofp-flow.h>
#include <openvswitch/ofp-msgs.h>
#include <openvswitch/ofpbuf.h>
#include <openvswitch/poll-loop.h>
#include <openvswitch/vconn.h>
}

#include <fmt/format.h>

#include "base/c_handle.hpp"
#include "base/clock.hpp"
#include "base/limits/network.hpp"

namespace penumbra::netisolate {

namespace {

using Connection = CHandle<vconn, vconn_close>;
using Message = CHandle<ofpbuf, ofpbuf_delete>;
using CText = CHandle<char, std::free>;

constexpr std::uint32_t kBundleId = 1;

/// One exchange with a bridge, all of it before one deadline.
class Session {
 public:
    static Result<Session> open(const std::string& socket) {
        Session session(socket);
        vconn* raw = nullptr;
        int error = vconn_open(("unix:" + socket).c_str(), 1U << OFP15_VERSION, 0, &raw);
        session.connection_.reset(raw);
        if (error == 0) error = vconn_connect_block(raw, limits::kSwitchCallDeadline / std::chrono::milliseconds(1));
        if (error != 0) return session.broken(error);
        return session;
    }

    Result<void> send(Message message) {
        for (;;) {
            const int error = vconn_send(connection_.get(), message.get());
            if (error == 0) {
                static_cast<void>(message.release());
                return {};
            }
            if (error != EAGAIN) return broken(error);
            TRY(wait(WAIT_SEND));
        }
    }

    Result<Message> receive() {
        for (;;) {
            ofpbuf* raw = nullptr;
            const int error = vconn_recv(connection_.get(), &raw);
            if (error == 0) return Message(raw);
            if (error != EAGAIN) return broken(error);
            TRY(wait(WAIT_RECV));
        }
    }

    [[nodiscard]] const std::string& socket() const noexcept { return socket_; }

 private:
    explicit Session(std::string socket) : socket_(std::move(socket)) {}

    Result<void> wait(vconn_wait_type what) {
        const auto left = deadline_ - BootClock::now();
        if (left <= left.zero()) {
            return fail(ErrorCode::kDeadlineExceeded,
                        fmt::format("ovs-vswitchd did not answer on {} within {} s: is it stopped or overloaded?",
                                    socket_, limits::kSwitchCallDeadline.count()));
        }
        vconn_run(connection_.get());
        vconn_run_wait(connection_.get());
        vconn_wait(connection_.get(), what);
        poll_timer_wait(std::chrono::ceil<std::chrono::milliseconds>(left).count());
        poll_block();
        return {};
    }

    [[nodiscard]] tl::unexpected<Error> broken(int error) const {
        if (error == ENOENT) {
            return fail(ErrorCode::kNotFound,
                        fmt::format("there is no bridge behind {}, or ovs-vswitchd is down", socket_));
        }
        return fail(error == ETIMEDOUT ? ErrorCode::kDeadlineExceeded : ErrorCode::kUnavailable,
                    fmt::format("OpenFlow on {} broke off ({}): is ovs-vswitchd running?", socket_,
                                error > 0 ? std::strerror(error) : "closed"));
    }

    std::string socket_;
    Connection connection_;
    Instant deadline_ = BootClock::now() + limits::kSwitchCallDeadline;
};

const ofp_header* header_of(const Message& message) {
    return static_cast<const ofp_header*>(message->data);
}

ActionKind kind_of_port(std::uint16_t port) {
    switch (port) {
        case 0xfff8:
            return ActionKind::kInPort;
        case 0xfff9:
            return ActionKind::kOther;  // TABLE
        case 0xfffa:
            return ActionKind::kNormal;
        case 0xfffb:
            return ActionKind::kFlood;
        case 0xfffc:
            return ActionKind::kAll;
        case 0xfffd:
            return ActionKind::kController;
        case 0xfffe:
            return ActionKind::kLocal;
        default:
            return ActionKind::kOutput;
    }
}

FlowAction read_action(const ofpact* action) {
    ds text = DS_EMPTY_INITIALIZER;
    ofpact_format_params params{};
    params.s = &text;
    ofpacts_format(action, OFPACT_ALIGN(action->len), &params);
    FlowAction read{.kind = ActionKind::kOther, .text = ds_cstr(&text)};
    ds_destroy(&text);
    if (action->type == OFPACT_OUTPUT) {
        const auto port = static_cast<std::uint16_t>(ofpact_get_OUTPUT(action)->port);
        read.kind = kind_of_port(port);
        if (read.kind == ActionKind::kOutput) read.operand = port;
    } else if (action->type == OFPACT_CONTROLLER) {
        read.kind = ActionKind::kController;
    } else if (action->type == OFPACT_GOTO_TABLE) {
        read.kind = ActionKind::kGotoTable;
        read.operand = ofpact_get_GOTO_TABLE(action)->table_id;
    }
    return read;
}

Flow read_flow(const ofputil_flow_stats& stats) {
    const CText match(match_to_string(&stats.match, nullptr, OFP_DEFAULT_PRIORITY));
    Flow flow{.key = {.table = stats.table_id, .priority = stats.priority, .match = match.get()},
              .cookie = be64toh(stats.cookie),
              .hard_timeout = std::chrono::seconds(stats.hard_timeout),
              .packets = stats.packet_count};
    const ofpact* action = nullptr;
    OFPACT_FOR_EACH(action, stats.ofpacts, stats.ofpacts_len) {
        flow.actions.push_back(read_action(action));
    }
    return flow;
}

Result<void> read_reply(const Message& reply, std::vector<Flow>& flows) {
    ofpbuf actions;
    ofpbuf_init(&actions, 0);
    ofputil_flow_stats stats{};
    int error = 0;
    while ((error = ofputil_decode_flow_stats_reply(&stats, reply.get(), true, &actions)) == 0) {
        flows.push_back(read_flow(stats));
    }
    ofpbuf_uninit(&actions);
    if (error == EOF) return {};
    return fail(ErrorCode::kDataLoss, fmt::format("ovs-vswitchd's list of flows cannot be read ({})", error));
}

/// The error that a message carries, in Open vSwitch's word; nothing when it is none.
std::optional<std::string> error_in(const Message& message) {
    ofptype type{};
    if (ofptype_decode(&type, header_of(message)) != 0 || type != OFPTYPE_ERROR) return std::nullopt;
    ofpbuf payload;
    const ofperr error = ofperr_decode_msg(header_of(message), &payload);
    std::string name = ofperr_get_name(error);
    ofpbuf_uninit(&payload);
    return name;
}

Message bundle_control(std::uint16_t type) {
    ofputil_bundle_ctrl_msg control{};
    control.bundle_id = kBundleId;
    control.type = type;
    control.flags = OFPBF_ATOMIC | OFPBF_ORDERED;
    return Message(ofputil_encode_bundle_ctrl_request(OFP15_VERSION, &control));
}

Result<Message> bundle_add(const std::string& text, int command) {
    ofputil_flow_mod change{};
    ofputil_protocol usable{};
    const CText error(parse_ofp_flow_mod_str(&change, text.c_str(), nullptr, nullptr, command, &usable));
    if (error != nullptr) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("Open vSwitch does not take '{}': {}", text, error.get()));
    }
    const Message inner(ofputil_encode_flow_mod(&change, OFPUTIL_P_OF15_OXM));
    minimatch_destroy(&change.match);
    std::free(const_cast<ofpact*>(change.ofpacts));
    ofpmsg_update_length(inner.get());
    ofputil_bundle_add_msg add{};
    add.bundle_id = kBundleId;
    add.flags = OFPBF_ATOMIC | OFPBF_ORDERED;
    add.msg = header_of(inner);
    return Message(ofputil_encode_bundle_add(OFP15_VERSION, &add));
}

std::string text_of(const FlowKey& key) {
    return fmt::format("table={},priority={}{}{}", key.table, key.priority, key.match.empty() ? "" : ",", key.match);
}

std::string text_of(const Flow& flow) {
    std::string text = fmt::format("{},cookie={:#x},hard_timeout={},actions=", text_of(flow.key), flow.cookie,
                                   flow.hard_timeout.count());
    if (flow.only_drops()) return text + "drop";
    for (const FlowAction& action : flow.actions)
        text += (&action == &flow.actions.front() ? "" : ",") + action.text;
    return text;
}

Result<std::vector<Message>> messages_of(const FlowBundle& bundle) {
    std::vector<Message> messages;
    messages.push_back(bundle_control(OFPBCT_OPEN_REQUEST));
    for (const FlowKey& key : bundle.remove) {
        messages.push_back(TRY(bundle_add(text_of(key), OFPFC_DELETE_STRICT)));
    }
    for (const std::uint64_t cookie : bundle.remove_cookies) {
        messages.push_back(TRY(bundle_add(fmt::format("cookie={:#x}/-1", cookie), OFPFC_DELETE)));
    }
    for (const Flow& flow : bundle.add)
        messages.push_back(TRY(bundle_add(text_of(flow), OFPFC_ADD)));
    messages.push_back(bundle_control(OFPBCT_COMMIT_REQUEST));
    return messages;
}

}  // namespace

Result<std::vector<Flow>> dump_flows(const std::string& socket) {
    Session session = TRY(Session::open(socket));
    ofputil_flow_stats_request request{};
    match_init_catchall(&request.match);
    request.out_port = OFPP_ANY;
    request.out_group = OFPG_ANY;
    request.table_id = 0xff;
    TRY(session.send(Message(ofputil_encode_flow_stats_request(&request, OFPUTIL_P_OF15_OXM))));
    std::vector<Flow> flows;
    for (;;) {
        const Message reply = TRY(session.receive());
        if (const auto error = error_in(reply)) {
            return fail(ErrorCode::kUnavailable, fmt::format("ovs-vswitchd refuses to list flows: {}", *error));
        }
        ofptype type{};
        if (ofptype_decode(&type, header_of(reply)) != 0 || type != OFPTYPE_FLOW_STATS_REPLY) continue;
        const bool more = ofpmp_more(header_of(reply));  // before the reading, which consumes the header
        TRY(read_reply(reply, flows));
        if (!more) break;
    }
    std::ranges::sort(flows, {}, &Flow::key);
    return flows;
}

Result<void> apply_bundle(const std::string& socket, const FlowBundle& bundle) {
    auto messages = TRY(messages_of(bundle));
    Session session = TRY(Session::open(socket));
    const auto commit = header_of(messages.back())->xid;
    for (Message& message : messages)
        TRY(session.send(std::move(message)));
    for (std::optional<std::string> first;;) {
        const Message answer = TRY(session.receive());
        if (const auto error = error_in(answer); error.has_value() && !first.has_value()) first = error;
        if (header_of(answer)->xid != commit) continue;
        if (!first.has_value()) return {};
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("Open vSwitch refused a bundle of {} rules on {}, and nothing was changed: {}",
                                bundle.add.size(), socket, *first));
    }
}

}  // namespace penumbra::netisolate
