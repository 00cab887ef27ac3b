// penumbra: what an operator types. The only user of CLI11; every verb is in a file of its noun.

#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <random>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "base/limits/cli.hpp"
#include "cli/analyze/analyze.hpp"
#include "cli/progress.hpp"
#include "cli/verbs.hpp"
#include "proto/local/client.hpp"

namespace penumbra::cli {
namespace {

/// What the command line says, and the verb it chose.
struct Wanted {
    std::string socket = "/run/penumbra/coordinator/api.sock";
    Format format = Format::kTable;
    bool no_wait = false;
    Verb verb;
    // Arguments of whichever verb it is; each option of CLI11 writes into one of them.
    std::string name;
    std::string group;
    std::string shadow;
    std::string arm;
    std::string metric;
    std::string file;
    std::string state;
    std::vector<std::string> arms{"control", "treated"};
    double scale = 1;
    std::uint64_t after = 0;
    std::uint32_t count = 256;
    std::uint32_t seconds = 300;
    SeriesQuestion series;
    std::string svg;
    std::size_t origins = 20;
    JudgeQuestion judge;
    CapacityQuestion capacity;
    ScalingQuestion scaling;
};

/// The verb of `app` with one argument that is an identifier.
template <class Id, class Call>
CLI::App* add_with_id(CLI::App& app, Wanted& wanted, const std::string& verb, const std::string& words,
                      const std::string& argument, Call call) {
    CLI::App* command = app.add_subcommand(verb, words);
    command->add_option(argument, wanted.name, words)->required();
    command->callback([&wanted, call] {
        wanted.verb = [&wanted, call](Session& session) -> Result<ExitCode> {
            return call(session, TRY(Id::parse(wanted.name)));
        };
    });
    return command;
}

/// A verb that lists one kind of thing.
template <class View>
CLI::App* add_list(CLI::App& app, Wanted& wanted, const std::string& words,
                   const std::function<Result<model::api::RequestBody>()>& request) {
    CLI::App* command = app.add_subcommand("list", words);
    command->callback([&wanted, request] {
        wanted.verb = [request](Session& session) -> Result<ExitCode> {
            return show<std::vector<View>>(session, TRY(request()));
        };
    });
    return command;
}

CLI::App* add_noun(CLI::App& app, const std::string& noun, const std::string& words) {
    CLI::App* command = app.add_subcommand(noun, words);
    command->require_subcommand(1);
    return command;
}

void add_wait(CLI::App* command, Wanted& wanted) {
    command->add_flag("--no-wait", wanted.no_wait, "say its name at once, and do not wait for its end");
}

void add_hosts(CLI::App& app, Wanted& wanted) {
    CLI::App* host = add_noun(app, "host", "the machines of the fleet");
    add_list<model::HostView>(*host, wanted, "every host, its state and the reason",
                              [] { return model::api::ListHosts{}; });
    add_with_id<HostId>(*host, wanted, "token", "a token, for one use, to enrol a host of this name", "host",
                        host_token);
    add_wait(
        add_with_id<HostId>(*host, wanted, "clean", "take everything of penumbra's off a host", "host", host_clean),
        wanted);
    add_with_id<HostId>(*host, wanted, "retire", "let a host go: it is heard no more", "host", host_retire);
    app.add_subcommand("doctor", "what is wrong, or would be refused, on each host")->callback([&wanted] {
        wanted.verb = doctor;
    });
}

void add_state(CLI::App& app, Wanted& wanted) {
    CLI::App* vms = add_list<model::VmView>(*add_noun(app, "vm", "production's machines"), wanted,
                                            "every VM, and why it can or cannot be cloned",
                                            [&wanted]() -> Result<model::api::RequestBody> {
                                                if (wanted.name.empty()) return model::api::ListVms{};
                                                return model::api::ListVms{.host = TRY(HostId::parse(wanted.name))};
                                            });
    vms->add_option("--host", wanted.name, "only of this host");
    add_list<model::GroupView>(*add_noun(app, "group", "what is shadowed together"), wanted,
                               "every group and its replica's generations", [] { return model::api::ListGroups{}; });
    add_wait(add_with_id<GroupId>(app, wanted, "replicate", "take one more generation of a group's volumes", "group",
                                  replicate),
             wanted);
}

void add_shadows(CLI::App& app, Wanted& wanted) {
    CLI::App* shadow = add_noun(app, "shadow", "isolated, scaled-down clones");
    add_list<model::ShadowView>(*shadow, wanted, "every shadow and its arms", [] { return model::api::ListShadows{}; });
    CLI::App* create = shadow->add_subcommand("create", "clone a group");
    create->add_option("--group", wanted.group, "what to clone")->required();
    create->add_option("--name", wanted.name, "the shadow's name")->required();
    create->add_option("--scale", wanted.scale, "vCPUs and memory, as a share of production's")
        ->check(CLI::Range(0.01, 1.0));
    create->add_option("--arms", wanted.arms, "names of its arms")->delimiter(',');
    add_wait(create, wanted);
    create->callback([&wanted] {
        wanted.verb = [&wanted](Session& session) -> Result<ExitCode> {
            model::ShadowSpec spec{.shadow = TRY(ShadowId::parse(wanted.name)),
                                   .group = TRY(GroupId::parse(wanted.group)),
                                   .scale = wanted.scale};
            for (const std::string& arm : wanted.arms)
                spec.arms.push_back(TRY(ArmId::parse(arm)));
            return shadow_create(session, std::move(spec));
        };
    });
    add_wait(add_with_id<ShadowId>(*shadow, wanted, "destroy", "take a shadow away", "shadow", shadow_destroy), wanted);
    CLI::App* probe = add_with_id<ShadowId>(
        *shadow, wanted, "probe", "show that a shadow is isolated", "shadow",
        [&wanted](Session& session, ShadowId id) -> Result<ExitCode> {
            return shadow_probe(session, std::move(id), wanted.arm.empty() ? ArmId() : TRY(ArmId::parse(wanted.arm)));
        });
    probe->add_option("--arm", wanted.arm, "only of this arm");
    add_wait(probe, wanted);
}

template <class Call>
CLI::App* add_with_file(CLI::App& app, Wanted& wanted, const std::string& verb, const std::string& words, Call call) {
    CLI::App* command = app.add_subcommand(verb, words);
    command->add_option("file", wanted.file, "a TOML file")->required();
    add_wait(command, wanted);
    command->callback([&wanted, call] {
        wanted.verb = [&wanted, call](Session& session) { return call(session, std::filesystem::path(wanted.file)); };
    });
    return command;
}

void add_decisions(CLI::App& app, Wanted& wanted) {
    CLI::App* trial = add_noun(app, "trial", "timed runs on a shadow");
    add_list<model::TrialStatus>(*trial, wanted, "every trial and its verdict",
                                 [] { return model::api::ListTrials{}; });
    add_with_file(*trial, wanted, "run", "run a trial as a file says", trial_run);
    add_with_id<TrialId>(*trial, wanted, "show", "one trial with its evidence", "trial", trial_show);
    add_wait(add_with_id<TrialId>(*trial, wanted, "abort", "end a trial now", "trial", trial_abort), wanted);
    CLI::App* rollout = add_noun(app, "rollout", "changes on their way to production");
    add_list<model::RolloutStatus>(*rollout, wanted, "every rollout and its outcome",
                                   [] { return model::api::ListRollouts{}; });
    add_with_file(*rollout, wanted, "apply", "bring a change to production, as a file says", rollout_apply);
    add_with_id<RolloutId>(*rollout, wanted, "show", "one rollout with its hashes", "rollout", rollout_show);
    add_wait(add_with_id<RolloutId>(*rollout, wanted, "confirm", "let the change stay", "rollout", rollout_confirm),
             wanted);
    add_wait(
        add_with_id<RolloutId>(*rollout, wanted, "abort", "undo what it did, and end it", "rollout", rollout_abort),
        wanted);
}

void add_anticipation(CLI::App& app, Wanted& wanted) {
    CLI::App* import = add_noun(app, "history", "what was measured before penumbra came")
                           ->add_subcommand("import", "take in a CSV file of time and value");
    import->add_option("--group", wanted.group, "whose history it is")->required();
    import->add_option("--metric", wanted.metric, "what it measures; requests_per_second if not said");
    import->add_option("file", wanted.file, "a CSV file")->required();
    import->callback([&wanted] {
        wanted.verb = [&wanted](Session& session) -> Result<ExitCode> {
            return history_import(session, TRY(GroupId::parse(wanted.group)), wanted.metric, wanted.file);
        };
    });
    CLI::App* show_one = add_with_id<GroupId>(
        *add_noun(app, "forecast", "tomorrow's load"), wanted, "show", "quantiles of the next hour and day", "group",
        [&wanted](Session& session, GroupId group) {
            return show<model::ForecastView>(session, model::api::ShowForecast{std::move(group), wanted.metric});
        });
    show_one->add_option("--metric", wanted.metric, "requests_per_second if not said");
    CLI::App* kpi =
        add_noun(app, "kpi", "what was measured")->add_subcommand("list", "windows of production or an arm");
    kpi->add_option("--group", wanted.group, "of which group")->required();
    CLI::Option* of_shadow = kpi->add_option("--shadow", wanted.shadow, "of an arm of this shadow");
    kpi->add_option("--arm", wanted.arm, "which arm")->needs(of_shadow);
    kpi->add_option("--histogram-log", wanted.file, "a file for its response times, as HdrHistogram's tools read them");
    kpi->add_option("--last", wanted.seconds, "how many seconds back");
    kpi->callback([&wanted] {
        wanted.verb = [&wanted](Session& session) -> Result<ExitCode> {
            model::Vantage vantage{.group = TRY(GroupId::parse(wanted.group))};
            if (!wanted.shadow.empty()) vantage.shadow = TRY(ShadowId::parse(wanted.shadow));
            if (!wanted.arm.empty()) vantage.arm = TRY(ArmId::parse(wanted.arm));
            return kpi_list(session, std::move(vantage), std::chrono::seconds(wanted.seconds), wanted.file);
        };
    });
}

/// An option that takes a time such as 90s, 15m, 24h or 2d, in seconds.
CLI::Option* add_time(CLI::App& app, const std::string& name, std::chrono::seconds& into, const std::string& words) {
    return app
        .add_option_function<std::uint64_t>(
            name, [&into](std::uint64_t seconds) { into = std::chrono::seconds(seconds); }, words)
        ->type_name("TIME")
        ->transform(CLI::AsNumberWithUnit(
            std::map<std::string, std::uint64_t>{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}},
            CLI::AsNumberWithUnit::CASE_INSENSITIVE));
}

void add_series(CLI::App& app, Wanted& wanted) {
    app.add_option("file", wanted.series.file, "a CSV file of time and value")->required();
    app.add_option("--column", wanted.series.column, "of the values, as the heading names it");
    add_time(app, "--step", wanted.series.step, "of the grid the values are averaged on; as measured if not said");
    add_time(app, "--horizon", wanted.series.horizon, "how far ahead; 24h if not said");
    CLI::Option* offset =
        app.add_option_function<double>(
               "--utc-offset",
               [&wanted](double hours) { wanted.series.utc_offset = std::chrono::minutes(std::lround(hours * 60)); },
               "hours that the clock of those who use it is ahead of UTC")
            ->check(CLI::Range(-14.0, 14.0));
    app.add_option("--timezone", wanted.series.time_zone, "instead: their zone with its daylight saving, Europe/Berlin")
        ->excludes(offset);
    app.add_option("--holidays", wanted.series.holidays, "a file of DATE[,NAME[,LIKE]] of days unlike their weekday");
}

void add_judge(CLI::App& analyze, Wanted& wanted) {
    using Judge = JudgeQuestion::Judge;
    CLI::App* judge = analyze.add_subcommand("judge", "whether a treated arm is harmed; ends as a trial does");
    JudgeQuestion& question = wanted.judge;
    judge->add_option("files", question.files, "CONTROL.csv TREATED.csv, or one file with a column arm")
        ->required()
        ->expected(1, 2);
    judge->add_option("--judge", question.judge, "lab-v1 or kayenta-v1")
        ->transform(CLI::CheckedTransformer(
            std::map<std::string, Judge>{{"lab-v1", Judge::kLabV1}, {"kayenta-v1", Judge::kKayentaV1}}));
    judge->add_option("--column", question.column, "of the values; response_ms or value if not said");
    judge->add_option("--margin", question.margin, "harm that a PASS excludes, 0.2 is 20 % more")
        ->check(CLI::Range(0.001, 10.0));
    judge->add_option("--confidence", question.confidence, "of a PASS")->check(CLI::Range(0.6, 0.999));
    add_time(*judge, "--window", question.window, "rows of one such time are taken together");
    judge->add_flag("--align", question.align, "the arms were measured one after the other");
    judge->add_option("--svg", wanted.svg, "a file for a picture of it");
    judge->callback([&wanted] {
        wanted.judge.svg = wanted.svg;
        wanted.verb = [&wanted](Session& session) { return analyze_judge(session, wanted.judge); };
    });
}

void add_capacity(CLI::App& analyze, Wanted& wanted) {
    CLI::App* capacity = analyze.add_subcommand("capacity", "what a load test says: staircase, knee, scaling law");
    CapacityQuestion& question = wanted.capacity;
    capacity->add_option("file", question.file, "a CSV file of offered, throughput, latency_ms")->required();
    capacity->add_option("--latency-max", question.latency_max_ms, "milliseconds that must hold")
        ->check(CLI::PositiveNumber);
    capacity->add_option("--at-size", question.size, "a size to foretell the throughput of")
        ->check(CLI::PositiveNumber);
    add_time(*capacity, "--step-time", question.step, "that one more step of load would take; 2m if not said");
    capacity->add_option("--svg", wanted.svg, "a file for a picture of it");
    capacity->callback([&wanted] {
        wanted.capacity.svg = wanted.svg;
        wanted.verb = [&wanted](Session& session) { return analyze_capacity(session, wanted.capacity); };
    });
}

void add_plan(CLI::App& analyze, Wanted& wanted) {
    CLI::App* plan = analyze.add_subcommand("plan", "what to run so that the forecast is held, and when to start it");
    ScalingQuestion& question = wanted.scaling;
    add_series(*plan, wanted);
    plan->add_option("--size", question.sizes, "VCPUS:GIB:PER_SECOND that one instance holds; may be said again")
        ->required()
        ->allow_extra_args(false);
    plan->add_option("--hosts", question.hosts, "VCPUS:GIB:COUNT of the hosts there are")->required();
    plan->add_option("--prices", question.prices, "VCPU:GIB:INSTANCE:HOST of an hour; 1:0.125:0:0 if not said");
    plan->add_option("--running", question.running,
                     "SIZE:INSTANCES:HOSTS that run now, the size by its place from 1; enough if not said");
    plan->add_option("--hosts-may-fail", question.hosts_may_fail, "at once, with the load still held; 1 if not said");
    plan->add_option("--quantile", question.quantile, "of the forecast that is held; 0.95 if not said")
        ->check(CLI::Range(0.5, 0.999));
    add_time(*plan, "--lead-time", question.lead_time, "from a decision until it serves; 15m if not said");
    add_time(*plan, "--cooldown", question.cooldown, "after a change nothing shrinks; 10m if not said");
    plan->add_option("--svg", wanted.svg, "a file for a picture of it");
    plan->callback([&wanted] {
        wanted.scaling.series = wanted.series;
        wanted.scaling.svg = wanted.svg;
        wanted.verb = [&wanted](Session& session) { return analyze_plan(session, wanted.scaling); };
    });
}

void add_analysis(CLI::App& app, Wanted& wanted) {
    CLI::App* analyze = add_noun(app, "analyze", "the mathematics on CSV files of your own; asks no coordinator");
    CLI::App* forecast = analyze->add_subcommand("forecast", "quantiles of what comes, and how often they held");
    add_series(*forecast, wanted);
    forecast->add_option("--sum", wanted.series.sum, "columns that are foretold together, with their sum: a,b,c")
        ->delimiter(',')
        ->allow_extra_args(false);
    forecast->add_option("--svg", wanted.svg, "a file for a picture of it");
    forecast->callback([&wanted] {
        wanted.verb = [&wanted](Session& session) { return analyze_forecast(session, wanted.series, wanted.svg); };
    });
    CLI::App* backtest = analyze->add_subcommand("backtest", "how good such forecasts were, beside simple ones");
    add_series(*backtest, wanted);
    backtest->add_option("--origins", wanted.origins, "from how many moments to foretell")->check(CLI::Range(1, 1000));
    backtest->callback([&wanted] {
        wanted.verb = [&wanted](Session& session) { return analyze_backtest(session, wanted.series, wanted.origins); };
    });
    add_judge(*analyze, wanted);
    add_capacity(*analyze, wanted);
    add_plan(*analyze, wanted);
}

void add_records(CLI::App& app, Wanted& wanted) {
    CLI::App* command = add_noun(app, "command", "orders to hosts");
    add_list<model::CommandView>(*command, wanted, "every command and where it stands",
                                 [] { return model::api::ListCommands{}; });
    CLI::App* resolve =
        add_with_id<CommandId>(*command, wanted, "resolve", "say what became of a command that is UNKNOWN", "command",
                               [&wanted](Session& session, CommandId id) {
                                   return command_resolve(session, std::move(id), wanted.state == "happened");
                               });
    resolve->add_option("word", wanted.state, "happened, or did-not-happen")
        ->required()
        ->check(CLI::IsMember({"happened", "did-not-happen"}));
    CLI::App* events = app.add_subcommand("events", "what happened, and who asked for it");
    events->add_option("--after", wanted.after, "the number of the last one seen");
    events->add_option("--count", wanted.count, "how many at most");
    events->callback([&wanted] {
        wanted.verb = [&wanted](Session& session) {
            return show<std::vector<model::EventView>>(
                session, model::api::ListEvents{.after = wanted.after, .count_max = wanted.count});
        };
    });
    CLI::App* report = app.add_subcommand("report", "everything, as one page and as JSON");
    report->add_option("--out", wanted.file, "the folder for report.html and report.json")->required();
    report->callback([&wanted] {
        wanted.verb = [&wanted](Session& session) { return write_report(session, wanted.file, PENUMBRA_VERSION); };
    });
}

std::string new_request_id() {
    std::random_device random;
    return fmt::format("cli-{:08x}{:08x}{:08x}", random(), random(), random());
}

Session session_of(const Wanted& wanted, Progress& progress) {
    return {.ask = [&wanted](model::api::RequestBody body) -> Result<model::api::ReplyBody> {
                const model::api::Request request{.request_id = new_request_id(), .body = std::move(body)};
                return TRY(local::ask(wanted.socket, request, limits::kAskDeadline)).body;
            },
            .format = wanted.format,
            .wait = !wanted.no_wait,
            .print = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); },
            .progress = [&progress](std::string_view line) { progress.show(line); },
            .pause = [](std::chrono::milliseconds time) { ::poll(nullptr, 0, static_cast<int>(time.count())); },
            .now = [] { return SystemClock().wall(); }};
}

ExitCode run(int argc, char** argv) {
    Wanted wanted;
    CLI::App app("See what a change, a failure or tomorrow's load will do to a service before production meets it.",
                 "penumbra");
    app.set_version_flag("--version", PENUMBRA_VERSION);
    app.add_option("--socket", wanted.socket, "where the coordinator listens")->capture_default_str();
    app.add_option("-o,--output", wanted.format, "table or json")
        ->transform(
            CLI::CheckedTransformer(std::map<std::string, Format>{{"table", Format::kTable}, {"json", Format::kJson}}));
    app.require_subcommand(1);
    app.fallthrough();  // --socket and -o may also follow the verb
    add_hosts(app, wanted);
    add_state(app, wanted);
    add_shadows(app, wanted);
    add_decisions(app, wanted);
    add_anticipation(app, wanted);
    add_analysis(app, wanted);
    add_records(app, wanted);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? ExitCode::kDone : ExitCode::kUsage;
    }
    const SystemClock clock;
    Progress progress(STDERR_FILENO, ::isatty(STDERR_FILENO) == 1, clock);
    Session session = session_of(wanted, progress);
    const Result<ExitCode> ended = wanted.verb(session);
    if (std::fflush(stdout) != 0) {
        fmt::print(stderr, "penumbra: the result could not be written: {}\n", std::generic_category().message(errno));
        return ExitCode::kFailed;
    }
    if (ended.has_value()) return *ended;
    fmt::print(stderr, "penumbra: {}\n", ended.error().describe());
    return exit_code(ended.error().code);
}

}  // namespace
}  // namespace penumbra::cli

int main(int argc, char** argv) {
    return static_cast<int>(penumbra::cli::run(argc, argv));
}
