// Works out what the sign-up form asks for: a number whose SHA-256, together with the form's stamp, begins with so many zero
// bits. It takes about a second and happens once, when the button is pressed. Nothing is sent anywhere but the form.
(() => {
  "use strict";
  const encoder = new TextEncoder();

  const zeros = (digest) => {
    const head = new DataView(digest).getUint32(0);
    return head === 0 ? 32 : Math.clz32(head);
  };

  const solve = async (stamp, bits) => {
    for (let first = 0; ; first += 256) {
      const some = Array.from({ length: 256 }, (_, at) => String(first + at));
      const digests = await Promise.all(
        some.map((nonce) => crypto.subtle.digest("SHA-256", encoder.encode(stamp + ":" + nonce))),
      );
      const found = digests.findIndex((digest) => zeros(digest) >= bits);
      if (found >= 0) return some[found];
    }
  };

  for (const form of document.querySelectorAll("form[data-work]")) {
    form.addEventListener("submit", async (event) => {
      if (form.elements.work.value) return;
      event.preventDefault();
      const button = form.querySelector("button");
      const status = form.querySelector("[data-status]");
      button.disabled = true;
      status.textContent = form.dataset.busy;
      form.elements.work.value = await solve(form.elements.stamp.value, Number(form.dataset.work));
      button.disabled = false;
      form.submit();
    });
  }
})();
