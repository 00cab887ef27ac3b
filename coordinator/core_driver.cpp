#include "coordinator/core_driver.hpp"

#include <random>
#include <utility>
#include <variant>

#include "base/result.hpp"

namespace penumbra::coordinator {

CoreDriver::CoreDriver(Image image, const Clock& clock, Outputs outputs)
    : clock_(clock),
      outputs_(std::move(outputs)),
      random_(std::random_device()()),
      core_(std::move(image), clock.now()) {}

void CoreDriver::step(const Event& event) {
    for (Action& action : core_.step(event, {clock_.now(), clock_.wall()}, random_)) {
        if (auto* persist = std::get_if<Persist>(&action)) {
            outputs_.persist(std::move(persist->batch));
        } else if (const auto* send = std::get_if<Send>(&action)) {
            outputs_.send(send->host, send->envelope);
        } else if (auto* answer = std::get_if<Answer>(&action)) {
            outputs_.answer(answer->client, std::move(answer->reply));
        } else {
            outputs_.step_down(std::get<StepDown>(action).seen);
        }
    }
}

}  // namespace penumbra::coordinator
