// For pages of other sites: puts a published search where the script stands, as high as its content.
(() => {
  "use strict";
  const script = document.currentScript;
  const address = new URL(".", script.src);
  address.pathname = address.pathname.replace(/\/$/, "");
  address.search = "?.embed=1";
  const frame = document.createElement("iframe");
  frame.src = address.href;
  frame.title = script.dataset.title || "Search";
  frame.allow = "fullscreen";
  frame.style.cssText = "display:block;width:100%;height:520px;border:0";
  addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== address.origin) return;
    const height = Number(event.data && event.data.tamisHeight);
    if (height > 0) frame.style.height = `${Math.min(height, 20000)}px`;
  });
  script.after(frame);
})();
