// The menu of models: those that are open, built-in ones, recent ones, those that the Hugging Face tools have downloaded,
// recorded profiles, a file dialog and a path to type. UI thread only.
#pragma once

#include "app/panels/panels.h"

namespace app {

// The popup "models"; whoever opens it has drawn its button just before.
void draw_model_menu(PanelContext& context);

// A model that is being opened: how far it is, how long it still takes, and a way out. In the middle of the window.
void draw_opening(PanelContext& context);

}  // namespace app
