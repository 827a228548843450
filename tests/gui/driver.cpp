#include "tests/gui/driver.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace gui_test {
namespace {

constexpr int most_frames = 4000;
constexpr std::chrono::seconds most_time{40};

void add_hook(ImGuiContextHookType type, ImGuiContextHookCallback callback, void* user) {
  ImGuiContextHook hook;
  hook.Type = type;
  hook.Callback = callback;
  hook.UserData = user;
  ImGui::AddContextHook(ImGui::GetCurrentContext(), &hook);
}

}  // namespace

const std::string& why_no_surface() {
  static const std::string reason = [] {
    app::GuiOptions options;
    options.offscreen = true;
    options.size = {64, 64};
    const auto app = app::App::open(options);
    return app ? std::string() : app.error().message;
  }();
  return reason;
}

Driver::Driver(app::GuiOptions options) {
  options.offscreen = true;
  if (options.models.empty() && options.profiles.empty()) options.models = {"parity"};
  if (options.size.width == 1600) options.size = {1280, 720};
  if (options.backend.choice == engine::BackendChoice::automatic) options.backend.choice = engine::BackendChoice::cpu;
  options.backend.threads = 1;
  auto app = app::App::open(options);
  if (!app) throw std::runtime_error(app.error().message);
  app_ = std::move(*app);
  engine_ = ImGuiTestEngine_CreateContext();
  ImGuiTestEngineIO& io = ImGuiTestEngine_GetIO(engine_);
  io.ConfigRunSpeed = ImGuiTestRunSpeed_Fast;
  io.ConfigVerboseLevel = ImGuiTestVerboseLevel_Warning;
  io.ConfigVerboseLevelOnError = ImGuiTestVerboseLevel_Info;
  io.ConfigLogToTTY = true;
  io.ConfigNoThrottle = true;
  io.ConfigWatchdogWarning = 120;  // seconds: other work may have the cores
  io.ConfigWatchdogKillTest = 300;
  io.ConfigSavedSettings = false;
  ImGuiTestEngine_Start(engine_, ImGui::GetCurrentContext());
  // Dear ImGui's own log of what it writes, begun and ended around one frame.
  add_hook(
      ImGuiContextHookType_NewFramePost,
      [](ImGuiContext*, ImGuiContextHook* hook) {
        if (static_cast<Driver*>(hook->UserData)->listening_) ImGui::LogToBuffer();
      },
      this);
  add_hook(
      ImGuiContextHookType_EndFramePre,
      [](ImGuiContext* context, ImGuiContextHook* hook) {
        auto& driver = *static_cast<Driver*>(hook->UserData);
        if (!driver.listening_ || !context->LogEnabled) return;
        driver.heard_ = context->LogBuffer.c_str();
        driver.listening_ = false;
        ImGui::LogFinish();
      },
      this);
  for (int i = 0; i < 2000 && !app_->opened(); ++i) {
    frames(1);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  frames(4);
}

Driver::~Driver() {
  ImGuiTestEngine_Stop(engine_);
  app_.reset();
  ImGuiTestEngine_DestroyContext(engine_);
}

void Driver::frames(int count) {
  for (int i = 0; i < count; ++i) {
    app_->frame();
    ImGuiTestEngine_PostSwap(engine_);
  }
}

std::string Driver::words(ImGuiTestContext& context) {
  heard_.clear();
  listening_ = true;
  context.Yield(2);
  return heard_;
}

void Driver::choose(ImGuiTestContext& context, const std::string& window, const char* item) {
  const ImGuiTestItemInfo found = context.WindowInfo(window.c_str());
  REQUIRE(found.Window != nullptr);
  context.SetRef(found.Window);
  context.ItemClick(item);
  context.Yield(2);
}

void Driver::picture(const std::string& name) {
  if (const char* folder = std::getenv("MAMBASCOPE_TEST_PICTURES"))
    workspace().requests.screenshot = std::string(folder) + "/" + name + ".png";
}

bool Driver::run(const std::function<void(ImGuiTestContext&)>& user) {
  const std::string name = "run" + std::to_string(runs_++);
  ImGuiTest* test = ImGuiTestEngine_RegisterTest(engine_, "gui", name.c_str());
  test->UserData = const_cast<std::function<void(ImGuiTestContext&)>*>(&user);
  test->TestFunc = [](ImGuiTestContext* context) {
    (*static_cast<const std::function<void(ImGuiTestContext&)>*>(context->Test->UserData))(*context);
  };
  ImGuiTestEngine_QueueTest(engine_, test);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; !ImGuiTestEngine_IsTestQueueEmpty(engine_); ++i) {
    frames(1);
    if (i == most_frames || std::chrono::steady_clock::now() - start > most_time) {
      ImGuiTestEngine_AbortCurrentTest(engine_);
      return false;
    }
  }
  return test->Output.Status == ImGuiTestStatus_Success;
}

bool Driver::wait(ImGuiTestContext& context, const std::function<bool()>& done, int limit) {
  for (int i = 0; i < limit; ++i) {
    if (done()) return true;
    context.Yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return done();
}

bool Driver::read(ImGuiTestContext& context, std::int32_t id, int count) {
  workspace().post(engine::command::Prompt{std::vector<std::int32_t>(static_cast<std::size_t>(count), id)});
  workspace().post(engine::command::Step{count});
  return wait(
      context, [&] { return tokens() == count; }, 20000);
}

}  // namespace gui_test
