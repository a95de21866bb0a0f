/* The owner's page: keeps what is typed, sends files at once, brings last quarter's words. */
/* The page does without it. Written for old browsers inside chat programs. */
(function () {
  'use strict';
  var store = null;
  try { store = window.localStorage; } catch (e) { /* private mode */ }
  function all(css, root) { return Array.prototype.slice.call((root || document).querySelectorAll(css)); }
  function key(place) { return 'cuiban ' + document.body.getAttribute('data-key') + ' ' + place; }
  function forget(place) { try { store.removeItem(key(place)); } catch (e) { /* none */ } }

  all('[data-print]').forEach(function (button) {
    button.hidden = false;
    button.addEventListener('click', function () { window.print(); });
  });
  var sent = document.body.getAttribute('data-sent');
  if (sent) sent.split(',').forEach(forget);

  var form = document.getElementById('report');
  if (!form) return;
  var line = document.getElementById('saved');
  var dirty = {}, timer = 0, busy = false, leaving = false;

  function tell(text) { if (line.textContent !== text) line.textContent = text; }
  function place(name) {
    var found = /^(status|progress|problems|next_steps|percent|actual\.\d+)-(\d+-\d+)$/.exec(name || '');
    return found && found[2];
  }
  function fields(at) {
    return all('[name$="-' + at + '"]', form).filter(function (field) {
      return field.type !== 'file' && (place(field.name) === at || field.name === 'seen-' + at);
    });
  }
  function values(at) {
    var found = [];
    fields(at).forEach(function (field) {
      if (field.type !== 'radio' || field.checked) found.push([field.name, field.value]);
    });
    return found;
  }
  function encoded(places) {
    return places.map(function (at) {
      return values(at).map(function (pair) {
        return encodeURIComponent(pair[0]) + '=' + encodeURIComponent(pair[1]);
      }).join('&');
    }).join('&');
  }
  function local(at) {
    try { store.setItem(key(at), JSON.stringify(values(at))); return true; } catch (e) { return false; }
  }

  function save() {
    clearTimeout(timer);
    var places = Object.keys(dirty);
    if (!places.length || leaving) return;
    if (busy) { timer = setTimeout(save, 1000); return; }
    busy = true;
    dirty = {};
    var request = new XMLHttpRequest();
    request.open('POST', form.getAttribute('action') + '/draft');
    request.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded');
    request.setRequestHeader('Accept', 'application/json');
    request.timeout = 15000;
    request.onloadend = function () {
      var answer = {};
      busy = false;
      try { answer = JSON.parse(request.responseText); } catch (e) { /* a page */ }
      if (request.status === 200 && answer.saved_at) {
        places.forEach(function (at) { if (!dirty[at]) forget(at); });
        tell('已暂存 ' + answer.saved_at + '，尚未提交');
        return;
      }
      var kept = places.map(local).every(Boolean);
      if (request.status === 0) {
        tell(kept ? '网络不通，已存在本机' : '网络不通，请不要关闭本页');
      } else {
        tell((answer.message || '暂时无法保存') + (kept ? '，已存在本机' : ''));
      }
      if (request.status === 0 || request.status >= 429) {
        places.forEach(function (at) { dirty[at] = true; });
        timer = setTimeout(save, 15000);
      }
    };
    request.send(encoded(places));
  }
  function touched(event) {
    var at = place(event.target.name);
    if (!at) return;
    dirty[at] = true;
    clearTimeout(timer);
    timer = setTimeout(save, 1500);
  }
  form.addEventListener('input', touched);
  form.addEventListener('change', touched);
  window.addEventListener('online', save);

  function leave() {
    var places = Object.keys(dirty);
    if (!places.length || leaving) return;
    places.forEach(local);
    if (navigator.sendBeacon) {
      var body = new Blob([encoded(places)], { type: 'application/x-www-form-urlencoded' });
      navigator.sendBeacon(form.getAttribute('action') + '/draft', body);
    }
  }
  window.addEventListener('pagehide', leave);
  document.addEventListener('visibilitychange', function () { if (document.hidden) leave(); });
  /* A copy here, should the way to the server break just now. */
  form.addEventListener('submit', function () { leaving = true; clearTimeout(timer); Object.keys(dirty).forEach(local); });
  window.addEventListener('pageshow', function () { leaving = false; });

  /* What could not be sent from here comes back, unless something newer stands on the item. */
  all('input[name^="seen-"]', form).forEach(function (seen) {
    var at = seen.name.slice(5), kept = null;
    try { kept = JSON.parse(store.getItem(key(at))); } catch (e) { /* none */ }
    if (!kept) return;
    var same = kept.some(function (pair) { return pair[0] === seen.name && pair[1] === seen.value; });
    if (!same) { forget(at); return; }
    var now = JSON.stringify(values(at));
    kept.forEach(function (pair) {
      fields(at).forEach(function (field) {
        if (field.name !== pair[0]) return;
        if (field.type === 'radio') field.checked = field.value === pair[1];
        else field.value = pair[1];
      });
    });
    if (JSON.stringify(values(at)) === now) { forget(at); return; }
    dirty[at] = true;
    tell('已取回存在本机的内容，尚未提交');
    timer = setTimeout(save, 1500);
  });

  /* Who is behind says why and what next. */
  form.addEventListener('change', function (event) {
    if (event.target.type !== 'radio' || event.target.value !== 'behind') return;
    var more = document.getElementById('more-' + place(event.target.name));
    if (more) more.open = true;
  });

  all('.reuse', form).forEach(function (button) {
    var at = button.getAttribute('data-item');
    button.hidden = false;
    button.addEventListener('click', function () {
      all('[data-last="' + at + '"]').forEach(function (text) {
        var field = form.elements[text.getAttribute('data-field') + '-' + at];
        if (!field || field.value.indexOf(text.textContent) >= 0) return;
        field.value = (field.value ? field.value + '\n' : '') + text.textContent;
        if (field.name.indexOf('progress') !== 0) document.getElementById('more-' + at).open = true;
        touched({ target: field });
      });
      var first = form.elements['progress-' + at];
      if (first) first.focus();
    });
  });

  /* Files go at once, one after another. */
  var LARGEST = 20 * 1024 * 1024;
  function upload(input, files, at, faults) {
    var list = document.getElementById('files-' + at);
    var state = document.getElementById('up-' + at);
    var file = files.shift();
    if (!file) { state.textContent = faults.join(' '); return; }
    if (file.size > LARGEST) {
      faults.push('“' + file.name + '”超过20MB，没有收下，请压缩或拆分后再传');
      upload(input, files, at, faults);
      return;
    }
    var body = new FormData();
    body.append('file-' + at, file, file.name);
    var request = new XMLHttpRequest();
    request.open('POST', form.getAttribute('action') + '/evidence');
    request.setRequestHeader('Accept', 'application/json');
    request.upload.onprogress = function (event) {
      if (event.lengthComputable) {
        state.textContent = '正在上传“' + file.name + '” ' + Math.floor(event.loaded / event.total * 100) + '%';
      }
    };
    request.onloadend = function () {
      var answer = {};
      try { answer = JSON.parse(request.responseText); } catch (e) { /* a page */ }
      if (answer.list !== undefined) {
        list.innerHTML = answer.list;
        faults = faults.concat(answer.faults);
      } else {
        faults.push('“' + file.name + '”没有上传，' + (request.status === 429 ? '请稍候再传' : '请检查网络后再传'));
      }
      upload(input, files, at, faults);
    };
    state.textContent = '正在上传“' + file.name + '”';
    request.send(body);
  }
  all('input[type=file]', form).forEach(function (input) {
    var at = input.name.slice(5);
    var button = input.parentNode.parentNode.querySelector('button');
    if (button) button.hidden = true;
    input.addEventListener('change', function () {
      var files = Array.prototype.slice.call(input.files);
      if (!files.length) return;
      input.value = '';
      upload(input, files, at, []);
    });
  });
})();
